//! Locks on what has no row of its own, which all instances share and which end with their transaction. A database with one
//! writer at a time needs none.

pub mod name;

use sea_orm::{ConnectionTrait, DbErr, Statement};

pub use name::{Lock, LockMode};

use crate::ledger::database::backend::Backend;

/// Takes a lock for this transaction alone; it is free again when the transaction ends.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, if the lock is not free in time ([`lost_race`](super::retry::lost_race)), or if it has no row.
pub async fn lock(db: &impl ConnectionTrait, lock: Lock) -> Result<(), DbErr> {
    acquire(db, lock, LockMode::Exclusive).await
}

/// Takes a lock that others may share; it is free again when the transaction ends.
///
/// # Errors
/// As [`lock`].
pub async fn lock_shared(db: &impl ConnectionTrait, lock: Lock) -> Result<(), DbErr> {
    acquire(db, lock, LockMode::Shared).await
}

async fn acquire(db: &impl ConnectionTrait, lock: Lock, mode: LockMode) -> Result<(), DbErr> {
    let backend = Backend::of(db);
    let Some(sql) = backend.lock else {
        return Ok(());
    };
    let statement = Statement::from_string(backend.database, sql(lock, mode));
    match db.query_one_raw(statement).await? {
        Some(_) => Ok(()),
        None => Err(DbErr::RecordNotFound(format!(
            "the lock {} has no row in the table advisory_lock",
            lock.name()
        ))),
    }
}
