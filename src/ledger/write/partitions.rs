//! The lanes to the writers: all units of one owner take the same, so that writers rarely wait for one another. Few units share
//! few lanes, since what a commit costs is much the same for one unit and for many.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::ledger::Limits;
use crate::ledger::book::transaction::{Applied, Transaction};
use crate::ledger::database::Database;
use crate::ledger::write::writer::{self, ApplyError, Waiting, Writer};

/// Into how many rows a counter account is split, at most, where several write to it.
const SHARDS: u64 = 64;

/// How many units under way are worth a lane.
const WORTH_A_LANE: usize = 32;

/// The ways to the writers; copies lead to the same ones.
#[derive(Clone)]
pub struct Partitions {
    lanes: Arc<[mpsc::UnboundedSender<Waiting>]>,
    /// Room for those that wait, in whichever lane.
    room: Arc<Semaphore>,
    under_way: Arc<AtomicUsize>,
}

impl Default for Partitions {
    fn default() -> Self {
        let room = Semaphore::new(0);
        room.close();
        Partitions {
            lanes: Arc::default(),
            room: Arc::new(room),
            under_way: Arc::default(),
        }
    }
}

/// One more that is under way, until this is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A writer at work.
pub struct Task {
    stop: oneshot::Sender<()>,
    writer: JoinHandle<()>,
}

/// Starts so many writers on this tokio runtime.
pub fn open(
    database: &Database,
    clock: &Clock,
    limits: Limits,
    count: usize,
) -> (Partitions, Vec<Task>) {
    // Another instance is likely to have drawn other rows.
    let first = RandomState::new().hash_one(()) % SHARDS;
    let mut tasks = Vec::with_capacity(count);
    let mut lanes = Vec::with_capacity(count);
    for place in 0..count {
        let (lane, queue) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let shard = match count {
            1 => 0,
            _ => (first + place as u64) % SHARDS,
        };
        let writer = Writer {
            database: database.clone(),
            clock: clock.clone(),
            batch: limits.batch,
            shard: shard as i64,
        };
        let writer = tokio::spawn(writer::run(writer, queue, stopped));
        tasks.push(Task { stop, writer });
        lanes.push(lane);
    }
    let lanes = Partitions {
        lanes: lanes.into(),
        room: Arc::new(Semaphore::new(limits.queue)),
        under_way: Arc::default(),
    };
    (lanes, tasks)
}

impl Task {
    /// Finishes what waits and takes no more.
    pub async fn end(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.writer.await {
            log::error!("a writer ended badly: {error}");
        }
    }
}

impl Partitions {
    /// Applies a unit, unless too many wait.
    ///
    /// # Errors
    /// A refusal, a full queue, or a database that fails.
    pub async fn apply(&self, unit: Transaction) -> Result<Applied, ApplyError> {
        let place = self.room.clone().try_acquire_owned();
        let place = place.map_err(|error| match error {
            TryAcquireError::NoPermits => ApplyError::Busy,
            TryAcquireError::Closed => ApplyError::Unavailable,
        })?;
        self.send(unit, place).await
    }

    /// Applies a unit as soon as there is room.
    ///
    /// # Errors
    /// A refusal, or a database that fails.
    pub async fn apply_in_time(&self, unit: Transaction) -> Result<Applied, ApplyError> {
        let place = self.room.clone().acquire_owned().await;
        let place = place.map_err(|_| ApplyError::Unavailable)?;
        self.send(unit, place).await
    }

    async fn send(
        &self,
        unit: Transaction,
        place: OwnedSemaphorePermit,
    ) -> Result<Applied, ApplyError> {
        let (lane, _under_way) = self.of(&unit)?;
        let (waiting, receipt) = Waiting::new(unit, place);
        let sent = lane.send(waiting);
        sent.map_err(|_| ApplyError::Unavailable)?;
        receipt.await.unwrap_or(Err(ApplyError::Unavailable))
    }

    /// Whether units are taken.
    pub fn are_open(&self) -> bool {
        !self.lanes.is_empty() && self.lanes.iter().all(|lane| !lane.is_closed())
    }

    /// Where a unit goes. Those of an owner may stand in two lanes while there come to be more of them, or fewer: then one
    /// writer waits for the other one.
    fn of(
        &self,
        unit: &Transaction,
    ) -> Result<(&mpsc::UnboundedSender<Waiting>, UnderWay), ApplyError> {
        let mut hash = DefaultHasher::new();
        match (unit.postings.first(), &unit.action) {
            (Some(posting), _) => posting.account.owner.hash(&mut hash),
            (None, Some(action)) => action.owner.hash(&mut hash),
            (None, None) => unit.nonce.hash(&mut hash),
        }
        let before = self.under_way.fetch_add(1, Ordering::Relaxed);
        let under_way = UnderWay(self.under_way.clone());
        let open = (before / WORTH_A_LANE + 1).min(self.lanes.len()).max(1);
        let place = (hash.finish() % open as u64) as usize;
        let lane = self.lanes.get(place).ok_or(ApplyError::Unavailable)?;
        Ok((lane, under_way))
    }
}
