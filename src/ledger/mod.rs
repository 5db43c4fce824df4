//! The ledger: points, and nothing of the web.
//!
//! [`book`] holds the rules and does no I/O. Writers apply transactions by these rules and are the only ones that change
//! accounts; everything else reads.
//!
//! # Invariants
//! - No balance is negative. It is the sum of the account's lots, and of its entries.
//! - All accounts and contra accounts of an asset together are zero.
//! - An entry never changes, and holds the hash of the one before it.
//! - A caller gets a receipt after the commit.

pub mod book;
pub mod database;
pub mod journal;
pub mod proof;
pub mod read;
pub mod upkeep;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::clock::Clock;
use book::key::Key;
use book::transaction::{AccountKey, Applied, Nonce, Reason, Receipt, Transaction};
use database::Database;
use database::backend::Backend;
use database::clock::{ClockGap, ClockGuard};
use read::balances::Balances;
use read::due::{self, DuePoints};
use read::{gains, history};
use upkeep::audit::old_records;
use write::load;
use write::partitions::{self, Partitions, WriterTask};
pub use write::preview::Preview;
pub use write::writer::ApplyError;

/// How a ledger is opened.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most transactions, and the most balance reads, that wait; one more is refused.
    pub queue: usize,
    /// The most transactions that share a commit, and the most balance reads that share a statement.
    pub batch: usize,
    /// The number of writers; 0 = as many as the database profits from. SQLite always has one.
    pub writers: usize,
    /// The reason that the history shows for expired points.
    pub expiry_reason: Reason,
}

/// A handle to the ledger; clones share it.
#[derive(Clone)]
pub struct Ledger {
    database: Database,
    clock: Clock,
    clock_guard: ClockGuard,
    expiry_reason: Reason,
    partitions: Partitions,
    balances: Arc<Balances>,
    /// None once the ledger is closed.
    tasks: Arc<std::sync::Mutex<Option<Vec<WriterTask>>>>,
}

/// Why the ledger did not answer a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Too many reads are waiting.
    #[error("the queue of reads is full")]
    Busy,
    /// The database failed; the log has the cause.
    #[error("the ledger does not answer")]
    Unavailable,
}

impl From<sea_orm::DbErr> for ReadError {
    fn from(error: sea_orm::DbErr) -> Self {
        log::error!("cannot read the ledger: {error}");
        ReadError::Unavailable
    }
}

impl From<ClockGap> for ReadError {
    /// The guard has logged the gap.
    fn from(_: ClockGap) -> Self {
        ReadError::Unavailable
    }
}

impl From<ClockGap> for ApplyError {
    /// The guard has logged the gap.
    fn from(_: ClockGap) -> Self {
        ApplyError::Unavailable
    }
}

impl Ledger {
    /// Opens the database at `url`, brings its schema up to date, and starts the writers on the current tokio runtime.
    ///
    /// # Errors
    /// Returns the cause if the database cannot be opened or migrated.
    pub async fn open(url: &str, settings: Settings, clock: Clock) -> Result<Ledger, String> {
        let writers = Backend::of_url(url).map_or(1, |backend| backend.writers(settings.writers));
        let database = Database::open(url, writers).await;
        let database = database.map_err(|error| error.to_string())?;
        let taken_over = old_records::take_over(&database, clock.now()).await;
        taken_over.map_err(|error| error.to_string())?;
        let guard = ClockGuard::default();
        let (partitions, tasks) = partitions::open(&database, &clock, &guard, settings, writers);
        Ok(Ledger::new(
            database, clock, guard, settings, partitions, tasks,
        ))
    }

    /// Opens the database at `url` for reading alone. Whatever changes points finds the ledger unavailable.
    ///
    /// # Errors
    /// Returns the cause if the database cannot be opened, or if its schema is not the one of this program.
    pub async fn open_read_only(
        url: &str,
        settings: Settings,
        clock: Clock,
    ) -> Result<Ledger, String> {
        let database = Database::open_read_only(url).await;
        let database = database.map_err(|error| error.to_string())?;
        let guard = ClockGuard::default();
        let (partitions, tasks) = partitions::open(&database, &clock, &guard, settings, 0);
        Ok(Ledger::new(
            database, clock, guard, settings, partitions, tasks,
        ))
    }

    fn new(
        database: Database,
        clock: Clock,
        clock_guard: ClockGuard,
        settings: Settings,
        partitions: Partitions,
        tasks: Vec<WriterTask>,
    ) -> Ledger {
        let balances = Balances::new(
            database.clone(),
            clock.clone(),
            clock_guard.clone(),
            settings,
        );
        Ledger {
            database,
            clock,
            clock_guard,
            expiry_reason: settings.expiry_reason,
            partitions,
            balances: Arc::new(balances),
            tasks: Arc::new(std::sync::Mutex::new(Some(tasks))),
        }
    }

    /// Whether there is a database at `url`. A server is taken to have it.
    pub fn exists(url: &str) -> bool {
        database::file(url).is_none_or(|file| file.exists())
    }

    /// Applies a posting. When this returns a receipt, the posting is on disk.
    ///
    /// # Errors
    /// Returns [`ApplyError`] if a rule forbids it, the queue is full, or the database fails.
    pub async fn post(&self, posting: impl Into<Transaction>) -> Result<Receipt, ApplyError> {
        let applied = self.apply(posting.into()).await?;
        // A transaction without an action has a receipt for each posting.
        let receipt = applied.receipts.first().copied();
        receipt.ok_or(ApplyError::Unavailable)
    }

    /// Applies everything that one request changes, or nothing of it. When this returns, the changes are on disk.
    ///
    /// # Errors
    /// Returns [`ApplyError`] if a rule forbids it, the queue is full, or the database fails.
    pub async fn apply(&self, transaction: Transaction) -> Result<Applied, ApplyError> {
        self.partitions.apply(transaction).await
    }

    /// The points that count in an account now: its balance without lots that are due. `None` if there is no such account.
    ///
    /// # Errors
    /// Returns [`ReadError`] if too many reads wait or the database fails.
    pub async fn balance(&self, account: AccountKey) -> Result<Option<i64>, ReadError> {
        self.balances.read(account).await
    }

    /// A page of an account's history. Lots that are due expire before it is read, so that it agrees with the balance. `None` if
    /// there is no such account.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails, or if the queue is full in which lots expire.
    pub async fn history(
        &self,
        range: &history::Range,
    ) -> Result<Option<history::Page>, ReadError> {
        let now = self.trusted_now()?;
        let page = || {
            self.database
                .again(|| history::page(self.database.read(), range))
        };
        let found = page().await?;
        let next_expiry = found.as_ref().and_then(|page| page.next_expiry);
        if next_expiry.is_none_or(|expiry| expiry > now) {
            return Ok(found);
        }
        self.expire_due(range.account.clone(), now).await?;
        Ok(page().await?)
    }

    /// Whether a nonce has been spent.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn is_spent(&self, nonce: Nonce) -> Result<bool, ReadError> {
        Ok(self
            .database
            .again(|| load::is_spent(self.database.read(), nonce))
            .await?)
    }

    /// The points of an account that expire after now and up to `until` (ms).
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn expiring(&self, account: &AccountKey, until: i64) -> Result<i64, ReadError> {
        let (db, now) = (self.database.read(), self.trusted_now()?);
        Ok(self
            .database
            .again(|| history::expiring(db, account, now, until))
            .await?)
    }

    /// The account that each posting with one of these idempotency keys changed, and the points that it gained. A key that no
    /// posting has used is left out.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn gains(&self, keys: &[Key]) -> Result<Vec<(AccountKey, i64)>, ReadError> {
        Ok(self
            .database
            .again(|| gains::of(self.database.read(), keys))
            .await?)
    }

    /// The time (ms) of the posting with an idempotency key; `None` if no posting has used it.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn posted_at(&self, key: Key) -> Result<Option<i64>, ReadError> {
        Ok(self
            .database
            .again(|| gains::posted_at(self.database.read(), key))
            .await?)
    }

    /// The points that are due at `due_by` (ms), by asset.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn due(&self, due_by: i64) -> Result<BTreeMap<String, DuePoints>, ReadError> {
        Ok(self
            .database
            .again(|| due::by_asset(self.database.read(), due_by))
            .await?)
    }

    /// The assets that points have been moved of.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn assets(&self) -> Result<Vec<String>, ReadError> {
        Ok(self
            .database
            .again(|| gains::assets(self.database.read()))
            .await?)
    }

    /// The database, for what is kept beside the ledger.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Whether the clock is trusted, the database answers and takes writes, and every writer runs.
    pub async fn ready(&self) -> bool {
        self.trusted_now().is_ok()
            && self.partitions.are_open()
            && self.database.ping().await.is_ok()
            && self.database.takes_writes(self.clock.now()).await
    }

    /// The ledger's time (ms).
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// The ledger's time (ms), by which points may expire and records go.
    ///
    /// # Errors
    /// Returns [`ClockGap`] if the clock is not trusted.
    pub fn trusted_now(&self) -> Result<i64, ClockGap> {
        let now = self.clock.now();
        self.clock_guard.check(now)?;
        Ok(now)
    }

    /// What decides whether the clock is trusted.
    pub fn clock_guard(&self) -> ClockGuard {
        self.clock_guard.clone()
    }

    /// Why the clock is not trusted; `None` if it is.
    pub fn clock_gap(&self) -> Option<ClockGap> {
        self.clock_guard.gap()
    }

    /// Applies the transactions that wait, takes no more, and closes the database. Later calls find the ledger unavailable.
    pub async fn close(&self) {
        let tasks = self.tasks.lock().map(|mut tasks| tasks.take());
        let Ok(Some(tasks)) = tasks else {
            return;
        };
        join_all(tasks.into_iter().map(WriterTask::stop)).await;
        if let Err(error) = self.database.clone().close().await {
            log::warn!("cannot close the database: {error}");
        }
    }
}
