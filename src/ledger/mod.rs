//! The ledger: points, and nothing of the web. [`book`] holds the rules and does no I/O; the writers are the only ones who
//! write; everything else reads.
//!
//! Invariants: no balance is negative; an account's balance is the sum of its lots and of its entries; all accounts
//! and counter accounts of an asset together are zero; an entry never changes; a receipt is given after the commit.

pub mod book;
pub(crate) mod database;
#[cfg(test)]
mod equal;
pub mod read;
pub mod upkeep;
pub(crate) mod write;

use std::sync::Arc;

use futures_util::future::join_all;

use crate::clock::Clock;
use book::transaction::{AccountKey, Applied, Nonce, Posting, Receipt, Transaction};
use database::Database;
use read::balances::Balances;
use read::history;
use write::partitions::{self, Partitions, Task};
use write::retry::again;
use write::rows;
pub use write::writer::ApplyError;

/// What the ledger takes on at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many units, and how many balance reads, may wait; one more is refused.
    pub queue: usize,
    /// How many of them share a commit or a statement.
    pub batch: usize,
    /// How many writers work side by side; 0 = as many as the database profits from. SQLite has one.
    pub writers: usize,
}

/// A way to the ledger; copies lead to the same one.
#[derive(Clone)]
pub struct Ledger {
    database: Database,
    clock: Clock,
    lanes: Partitions,
    balances: Arc<Balances>,
    tasks: Arc<std::sync::Mutex<Vec<Task>>>,
}

/// The database does not answer; the log says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Too many reads are waiting.
    #[error("the queue of reads is full")]
    Busy,
    /// The database failed.
    #[error("the ledger does not answer")]
    Unavailable,
}

impl From<sea_orm::DbErr> for ReadError {
    fn from(error: sea_orm::DbErr) -> Self {
        log::error!("the ledger could not be read: {error}");
        ReadError::Unavailable
    }
}

impl Ledger {
    /// Opens the database at `url`, brings its schema up to date, and starts its writers on this tokio runtime.
    ///
    /// # Errors
    /// The reason in words, where the database cannot be opened or migrated.
    pub async fn open(url: &str, limits: Limits, clock: Clock) -> Result<Ledger, String> {
        let writers = match (database::file(url), limits.writers) {
            (Some(_), _) => 1,
            (None, 0) => database::writers(url),
            (None, writers) => writers,
        };
        let database = Database::open(url, writers).await;
        let database = database.map_err(|error| error.to_string())?;
        let (lanes, tasks) = partitions::open(&database, &clock, limits, writers);
        let balances = Arc::new(Balances::new(database.clone(), clock.clone(), limits));
        Ok(Ledger {
            database,
            clock,
            lanes,
            balances,
            tasks: Arc::new(std::sync::Mutex::new(tasks)),
        })
    }

    /// A ledger that is nowhere: every call finds it unavailable. For describing methods without serving them.
    pub fn nowhere() -> Ledger {
        let (database, clock, limits) = (
            Database::default(),
            Clock::system(),
            Limits {
                queue: 0,
                batch: 0,
                writers: 0,
            },
        );
        let balances = Arc::new(Balances::new(database.clone(), clock.clone(), limits));
        Ledger {
            database,
            clock,
            lanes: Partitions::default(),
            balances,
            tasks: Arc::default(),
        }
    }

    /// Whether there is a database at `url` already.
    pub fn exists(url: &str) -> bool {
        database::file(url).is_none_or(|file| file.exists())
    }

    /// Applies a posting; when this returns a receipt, it is on disk.
    ///
    /// # Errors
    /// A refusal, a full queue, or a database that fails.
    pub async fn post(&self, posting: Posting) -> Result<Receipt, ApplyError> {
        let applied = self.apply(Transaction::of(posting)).await?;
        // A unit without an action has a receipt for each posting.
        applied
            .receipts
            .first()
            .copied()
            .ok_or(ApplyError::Unavailable)
    }

    /// Applies everything that one request changes, or nothing of it; when this returns, it is on disk.
    ///
    /// # Errors
    /// A refusal, a full queue, or a database that fails.
    pub async fn apply(&self, unit: Transaction) -> Result<Applied, ApplyError> {
        self.lanes.apply(unit).await
    }

    /// The points that an account holds now, without those that are due to lapse; none where there is no such account.
    ///
    /// # Errors
    /// A full queue, or a database that fails.
    pub async fn balance(&self, account: AccountKey) -> Result<Option<i64>, ReadError> {
        self.balances.read(account).await
    }

    /// A page of an account's history; none where there is no such account.
    ///
    /// # Errors
    /// A database that fails.
    pub async fn history(
        &self,
        range: &history::Range,
    ) -> Result<Option<history::Page>, ReadError> {
        Ok(again(|| history::page(self.database.read(), range)).await?)
    }

    /// Whether a nonce has been spent.
    ///
    /// # Errors
    /// A database that fails.
    pub async fn is_spent(&self, nonce: Nonce) -> Result<bool, ReadError> {
        Ok(again(|| rows::is_spent(self.database.read(), nonce)).await?)
    }

    /// The points of an account that lapse from now up to `until` (ms).
    ///
    /// # Errors
    /// A database that fails.
    pub async fn lapsing(&self, account: &AccountKey, until: i64) -> Result<i64, ReadError> {
        let (db, now) = (self.database.read(), self.clock.now());
        Ok(again(|| history::lapsing(db, account, now, until)).await?)
    }

    /// The database, for what is kept beside the ledger.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Whether the database answers and postings are taken.
    pub async fn ready(&self) -> bool {
        self.lanes.are_open()
            && self.database.ping().await.is_ok()
            && self.database.takes_writes(self.clock.now()).await
    }

    /// The time as the ledger sees it (ms).
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Finishes the units that wait, takes no more, and closes the database. Later postings find it unavailable.
    pub async fn close(&self) {
        let tasks = self
            .tasks
            .lock()
            .map(|mut tasks| std::mem::take(&mut *tasks));
        let tasks = tasks.unwrap_or_default();
        if tasks.is_empty() {
            return;
        }
        join_all(tasks.into_iter().map(Task::end)).await;
        if let Err(error) = self.database.clone().close().await {
            log::warn!("the database did not close: {error}");
        }
    }
}
