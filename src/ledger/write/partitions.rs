//! The partitions of the write queue, one for each writer. All transactions of an owner go to one partition, so that writers
//! rarely wait for each other's locks. Few transactions in flight share few partitions, because a commit costs much the same
//! for one transaction and for many.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::ledger::Settings;
use crate::ledger::book::transaction::{Applied, Transaction};
use crate::ledger::database::Database;
use crate::ledger::database::clock::ClockGuard;
use crate::ledger::write::origins::KnownOrigins;
use crate::ledger::write::writer::{self, ApplyError, Queued, Writer};

/// The most rows of one contra account.
const SHARDS: u64 = 64;

/// The number of transactions in flight for which one more partition is worth a commit of its own.
const IN_FLIGHT_PER_PARTITION: usize = 32;

/// Sends transactions to the writers. Clones share the queue.
#[derive(Clone)]
pub struct Partitions {
    senders: Arc<[mpsc::UnboundedSender<Queued>]>,
    /// Places in the queue, for all partitions together.
    places: Arc<Semaphore>,
    in_flight: Arc<AtomicUsize>,
}

/// Counts a transaction as in flight until it is dropped.
struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A running writer.
pub struct WriterTask {
    stop: oneshot::Sender<()>,
    writer: JoinHandle<()>,
}

/// Starts this many writers on the current tokio runtime.
pub fn open(
    database: &Database,
    clock: &Clock,
    clock_guard: &ClockGuard,
    settings: Settings,
    writers: usize,
) -> (Partitions, Vec<WriterTask>) {
    // A random start, so that another instance most likely writes other rows of the contra accounts.
    let first_shard = RandomState::new().hash_one(()) % SHARDS;
    let mut tasks = Vec::with_capacity(writers);
    let mut senders = Vec::with_capacity(writers);
    for number in 0..writers {
        let (sender, queue) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let shard = match writers {
            1 => 0,
            _ => (first_shard + number as u64) % SHARDS,
        };
        let writer = Writer {
            database: database.clone(),
            clock: clock.clone(),
            clock_guard: clock_guard.clone(),
            settings,
            shard: shard as i64,
            origins: KnownOrigins::default(),
        };
        let writer = tokio::spawn(keep_running(writer, queue, stopped));
        tasks.push(WriterTask { stop, writer });
        senders.push(sender);
    }
    let partitions = Partitions {
        senders: senders.into(),
        places: Arc::new(Semaphore::new(settings.queue)),
        in_flight: Arc::default(),
    };
    (partitions, tasks)
}

/// Runs a writer until it stops, and again if it panics. A panic fails the batch that the writer has in hand: its database
/// transaction rolls back and its callers are answered [`ApplyError::Unavailable`]. What is queued behind the batch stays queued.
async fn keep_running(
    writer: Writer,
    mut queue: mpsc::UnboundedReceiver<Queued>,
    mut stop: oneshot::Receiver<()>,
) {
    loop {
        let running = writer::run(&writer, &mut queue, &mut stop);
        match AssertUnwindSafe(running).catch_unwind().await {
            Ok(()) => return,
            Err(_) => log::error!("a writer panicked: its batch failed, and it starts again"),
        }
    }
}

impl WriterTask {
    /// Lets the writer finish what is queued, and stops it.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.writer.await {
            log::error!("a writer failed: {error}");
        }
    }
}

impl Partitions {
    /// Applies a transaction.
    ///
    /// # Errors
    /// Returns [`ApplyError::Busy`] if the queue is full, or the error that the writer answers.
    pub async fn apply(&self, transaction: Transaction) -> Result<Applied, ApplyError> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|error| match error {
            TryAcquireError::NoPermits => ApplyError::Busy,
            TryAcquireError::Closed => ApplyError::Unavailable,
        })?;
        self.send(transaction, place).await
    }

    /// Applies a transaction as soon as the queue has a place.
    ///
    /// # Errors
    /// Returns the error that the writer answers.
    pub async fn apply_when_free(&self, transaction: Transaction) -> Result<Applied, ApplyError> {
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(|_| ApplyError::Unavailable)?;
        self.send(transaction, place).await
    }

    async fn send(
        &self,
        transaction: Transaction,
        place: OwnedSemaphorePermit,
    ) -> Result<Applied, ApplyError> {
        let (sender, _in_flight) = self.partition_of(&transaction)?;
        let (queued, outcome) = Queued::new(transaction, place);
        sender.send(queued).map_err(|_| ApplyError::Unavailable)?;
        outcome.await.unwrap_or(Err(ApplyError::Unavailable))
    }

    /// Whether every writer takes transactions.
    pub fn are_open(&self) -> bool {
        !self.senders.is_empty() && self.senders.iter().all(|sender| !sender.is_closed())
    }

    /// The partition of a transaction. While the number of partitions in use changes, transactions of one owner may be in two
    /// of them; the database's locks then order them.
    fn partition_of(
        &self,
        transaction: &Transaction,
    ) -> Result<(&mpsc::UnboundedSender<Queued>, InFlight), ApplyError> {
        let mut hash = DefaultHasher::new();
        match (transaction.postings.first(), &transaction.action) {
            (Some(posting), _) => posting.account.owner.hash(&mut hash),
            (None, Some(action)) => action.owner.hash(&mut hash),
            (None, None) => transaction.nonce.hash(&mut hash),
        }
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let in_flight = InFlight(self.in_flight.clone());
        let used = (before / IN_FLIGHT_PER_PARTITION + 1)
            .min(self.senders.len())
            .max(1);
        let number = (hash.finish() % used as u64) as usize;
        let sender = self.senders.get(number).ok_or(ApplyError::Unavailable)?;
        Ok((sender, in_flight))
    }
}
