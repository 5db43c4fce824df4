//! Locks on what has no row of its own, which all instances share. SQLite needs none: there one writes at a time.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::ledger::database::Database;
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::write::retry::lost_race;

/// What can be held.
#[derive(Clone, Copy, Debug)]
pub enum Held {
    /// What names mean: which of them lead to the same accounts.
    Names,
    /// Lapsing what is due.
    Expiry,
}

impl Held {
    /// Changes of the schema stand for it: rows that are always there and that nothing else locks.
    fn row(self) -> &'static str {
        match self {
            Held::Names => "m20261123_000001_ledger",
            Held::Expiry => "m20261123_000002_nonce",
        }
    }
}

/// Keeps something from changing until the commit, or (`alone`) keeps everybody from relying on it.
///
/// # Errors
/// Where the database does not answer, or somebody else holds it for too long.
pub async fn hold(db: &impl ConnectionTrait, what: Held, alone: bool) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    if backend == DbBackend::Sqlite {
        return Ok(());
    }
    let lock = match (alone, backend) {
        (true, _) => "FOR UPDATE",
        (false, DbBackend::MySql) => "LOCK IN SHARE MODE",
        (false, _) => "FOR SHARE",
    };
    let row = what.row();
    let sql = format!("SELECT version FROM seaql_migrations WHERE version = '{row}' {lock}");
    let statement = Statement::from_string(backend, sql);
    db.query_one_raw(statement).await.map(|_| ())
}

/// Waits for as long as somebody else holds it, and then holds it alone until the transaction ends.
///
/// # Errors
/// Where the database does not answer.
pub async fn wait_for(database: &Database, what: Held) -> Result<GuardedTransaction, DbErr> {
    loop {
        let transaction = database.begin_write().await?;
        match hold(&transaction, what, true).await {
            Ok(()) => return Ok(transaction),
            Err(error) if lost_race(&error) => transaction.rollback().await?,
            Err(error) => return Err(error),
        }
    }
}
