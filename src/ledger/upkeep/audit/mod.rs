//! The audit: replays the entries of every account by the rules that wrote them, and compares what the tables say with the result.

mod accounts;
mod chain;
mod freezes;
pub mod old_records;
mod orders;
pub mod rebuild;
mod seals;
mod states;
mod stream;
mod tallies;
mod totals;

use std::collections::{BTreeMap, HashSet};

use entity::{account, entry};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    PaginatorTrait, Statement,
};

use crate::ledger::Ledger;
use crate::ledger::book::changes::ContraGain;
use crate::ledger::book::entry::Contra;
use crate::ledger::book::key::Key;
use crate::ledger::book::openings::OldRecords;
use crate::ledger::proof::note::Note;
use crate::ledger::read::lookup::accounts_under;
use crate::ledger::read::pages::AccountPage;
use crate::ledger::read::seals::{StateSum, last_number};

use accounts::{Accounts, PartReport};
use chain::Vouched;

/// The accounts, and the entries, in memory at a time for each reader.
const ROWS: u64 = 2000;

/// What a passed audit covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of accounts.
    pub accounts: u64,
    /// The number of entries.
    pub entries: u64,
    /// Points that members hold, all assets together; not those that they owe.
    pub points: i128,
}

/// Why an audit failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The first inconsistency.
    #[error("{account}: {why}")]
    Broken {
        /// Where it is: an account (`coin of uid:5`), a contra account (`coin issued`), a record of the journal (`journal record 3`) or
        /// a table.
        account: String,
        /// What is inconsistent, with both figures.
        why: String,
    },
    /// The database failed.
    #[error("the audit cannot read the ledger: {0}")]
    Database(#[from] DbErr),
}

impl Ledger {
    /// Replays every account, and verifies every hash, the journal, and the contra accounts. Calls `progress` with the entries done
    /// and the entries in all.
    ///
    /// # Errors
    /// Returns [`AuditError`] with the first inconsistency, or if the database fails.
    pub async fn audit(&self, progress: impl FnMut(u64, u64)) -> Result<Report, AuditError> {
        self.audit_since(&[], progress).await
    }

    /// Replays the accounts under a name of an owner, and nothing else: what no single account holds needs the whole audit. `None` if there
    /// is no account.
    ///
    /// # Errors
    /// As [`Ledger::audit`].
    pub async fn audit_owner(&self, name: &str) -> Result<Option<Report>, AuditError> {
        let snapshot = self.database.begin_snapshot().await?;
        let db = &*snapshot;
        let rows = accounts_under(db, name).await?;
        let last_seal = last_number(db).await?;
        let mut whole = Whole::default();
        for row in rows {
            if let Some(page) = AccountPage::of(vec![row]) {
                let accounts = Accounts::with(db, page).await?;
                whole.add(accounts.replay(db, last_seal).await?);
            }
        }
        orders::check(&snapshot, &whole.orders).await?;
        Ok((whole.accounts > 0).then_some(whole.report()))
    }

    /// As [`Ledger::audit`], and verifies that the ledger extends each of these checkpoints, down to the accounts that it had then.
    ///
    /// # Errors
    /// As [`Ledger::audit`].
    pub async fn audit_since(
        &self,
        published: &[Note],
        progress: impl FnMut(u64, u64),
    ) -> Result<Report, AuditError> {
        let snapshot = self.database.begin_snapshot().await?;
        let pool = Some(self.database.read());
        check_with(&snapshot, pool, published, progress).await
    }
}

/// Audits the ledger as a database transaction sees it.
///
/// # Errors
/// Returns [`AuditError`] with the first inconsistency, or if the database fails.
pub async fn check(
    db: &DatabaseTransaction,
    progress: impl FnMut(u64, u64),
) -> Result<Report, AuditError> {
    check_with(db, None, &[], progress).await
}

/// As [`check`]. Entries never change, so that connections of the pool can read them while the transaction reads what tells of them.
async fn check_with(
    db: &DatabaseTransaction,
    pool: Option<&DatabaseConnection>,
    published: &[Note],
    progress: impl FnMut(u64, u64),
) -> Result<Report, AuditError> {
    let mut vouched = chain::check_journal(db).await?;
    let whole = replay_accounts(db, pool, progress).await?;
    totals::check_contras(db, &whole.sums, whole.points).await?;
    orders::check(db, &whole.orders).await?;
    totals::check_lots(db).await?;
    totals::check_origins(db).await?;
    totals::check_old_idempotency(db).await?;
    totals::check_identities(db).await?;
    freezes::check_freezes(db, std::mem::take(&mut vouched.freezes)).await?;
    tallies::check(db).await?;
    let report = whole.report();
    check_old_records(db, &vouched, whole.old).await?;
    seals::check_seals(db, published, &whole.states, &vouched.seals).await?;
    Ok(report)
}

/// What all accounts came to.
#[derive(Debug, Default)]
struct Whole {
    accounts: u64,
    entries: u64,
    points: i128,
    owed: i128,
    sums: BTreeMap<(String, Contra), ContraGain>,
    orders: HashSet<Key>,
    old: OldRecords,
    states: BTreeMap<i64, StateSum>,
}

impl Whole {
    fn report(&self) -> Report {
        Report {
            accounts: self.accounts,
            entries: self.entries,
            points: self.points - self.owed,
        }
    }

    fn add(&mut self, part: PartReport) {
        self.accounts += part.accounts;
        self.entries += part.entries;
        self.points += part.points;
        self.owed += part.owed;
        self.orders.extend(part.orders);
        for (contra, gain) in part.sums {
            self.sums.entry(contra).or_default().merge(gain);
        }
        for (seal, sum) in part.states {
            self.states.entry(seal).or_default().merge(sum);
        }
        for digest in &part.openings {
            self.old.add_opening(digest);
        }
    }
}

/// The parts that are replayed at a time, one for each connection that reads entries.
const PARTS: usize = 2;

async fn replay_accounts(
    db: &DatabaseTransaction,
    pool: Option<&DatabaseConnection>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Whole, AuditError> {
    let entries = entry::Entity::find().count(db).await?;
    let mut whole = Whole::default();
    let mut parts = FuturesOrdered::new();
    let mut last_id = 0;
    let last_seal = last_number(db).await?;
    loop {
        let next = Accounts::after(db, last_id).await?;
        let done = next.is_none();
        if let Some(accounts) = next {
            last_id = accounts.last_id();
            match pool {
                Some(pool) => {
                    let pool = pool.clone();
                    parts.push_back(tokio::spawn(async move {
                        accounts.replay(&pool, last_seal).await
                    }));
                }
                None => whole.add(accounts.replay(db, last_seal).await?),
            }
        }
        while parts.len() >= PARTS || (done && !parts.is_empty()) {
            let Some(part) = parts.next().await else {
                break;
            };
            let lost = |error| DbErr::Custom(format!("a part of the audit was lost: {error}"));
            whole.add(part.map_err(lost)??);
        }
        progress(whole.entries, entries);
        if done {
            break;
        }
    }
    match whole.entries == entries {
        true => Ok(whole),
        false => {
            totals::check_ends(db).await?;
            let why = format!(
                "{entries} entries, of which {} have an account",
                whole.entries
            );
            Err(broken("entry", why))
        }
    }
}

/// Compares what older versions left without a hash with what the journal says of it.
async fn check_old_records(
    db: &DatabaseTransaction,
    vouched: &Vouched,
    mut old: OldRecords,
) -> Result<(), AuditError> {
    let missing = old_records::add_identities(db, &vouched.links, &mut old).await?;
    if let Some(name) = missing {
        let why = format!("the journal linked {name}, which is not there");
        return Err(broken("identity", why));
    }
    let digest = hex::encode(old.digest());
    match &vouched.format {
        None if old.is_empty() => Ok(()),
        None => {
            let OldRecords {
                openings,
                identities,
                ..
            } = old;
            let why =
                format!("it vouches for none of {openings} openings and {identities} identities");
            Err(broken("the journal", why))
        }
        Some(record) if record.detail("digest").as_ref() == Some(&digest) => Ok(()),
        Some(record) => {
            let why = format!(
                "what older versions left is not what its record {} tells of: an opening, a spend on an order or an identity has changed",
                record.number
            );
            Err(broken("the journal", why))
        }
    }
}

fn broken(account: impl Into<String>, why: impl Into<String>) -> AuditError {
    AuditError::Broken {
        account: account.into(),
        why: why.into(),
    }
}

#[derive(FromQueryResult)]
struct Inconsistent {
    account_id: i64,
    seq: i64,
}

/// Fails with the account and the entry that a query finds.
async fn find_inconsistent(
    db: &DatabaseTransaction,
    why: &str,
    sql: &str,
) -> Result<(), AuditError> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let Some(found) = Inconsistent::find_by_statement(statement).one(db).await? else {
        return Ok(());
    };
    let name = match account::Entity::find_by_id(found.account_id)
        .one(db)
        .await?
    {
        Some(account) => format!("{} of {}", account.asset, account.owner),
        None => format!("account {}", found.account_id),
    };
    let entry = if found.seq > 0 {
        format!("entry {}: ", found.seq)
    } else {
        String::new()
    };
    Err(broken(name, format!("{entry}{why}")))
}
