//! The writers: the only tasks that change the ledger. Each takes what waits for it, applies it on a
//! [`Book`](crate::ledger::book::Book) and commits once for all of it; a lone unit goes at once.

use std::time::Instant;

use sea_orm::DbErr;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::clock::Clock;
use crate::ledger::book::transaction::{Applied, Rejection, Transaction};
use crate::ledger::database::Database;
use crate::ledger::write::retry::{LOST, TRIES, lost_connection, lost_race};
use crate::ledger::write::rows;

/// Why a unit has no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The ledger's rules do not allow it; nothing has changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Too many units are waiting; nothing has changed.
    #[error("the queue of units is full")]
    Busy,
    /// The database failed. Nothing has changed as far as it says; a unit with a retry guard may be sent again.
    #[error("the ledger does not answer")]
    Unavailable,
}

/// What became of a unit.
type Outcome = Result<Applied, ApplyError>;

/// A unit in the queue, its place there until it is taken, and who waits for its receipt.
pub struct Waiting {
    unit: Transaction,
    place: Option<OwnedSemaphorePermit>,
    reply: oneshot::Sender<Outcome>,
}

impl Waiting {
    /// A unit for the queue, and where its receipt will come.
    pub fn new(
        unit: Transaction,
        place: OwnedSemaphorePermit,
    ) -> (Waiting, oneshot::Receiver<Outcome>) {
        let (reply, receipt) = oneshot::channel();
        let place = Some(place);
        let waiting = Waiting { unit, place, reply };
        (waiting, receipt)
    }
}

/// One of the writers.
pub struct Writer {
    /// Where it writes.
    pub database: Database,
    /// The time as it sees it.
    pub clock: Clock,
    /// How many units share a commit, at most.
    pub batch: usize,
    /// Into which rows of the counter accounts.
    pub shard: i64,
}

/// Writes until every sender is gone, or `stop` says so, and the queue is empty.
pub async fn run(
    writer: Writer,
    mut queue: mpsc::UnboundedReceiver<Waiting>,
    mut stop: oneshot::Receiver<()>,
) {
    let batch = writer.batch;
    let mut waiting = Vec::with_capacity(batch);
    let mut closing = false;
    loop {
        let taken = tokio::select! {
            taken = queue.recv_many(&mut waiting, batch) => taken,
            _ = &mut stop, if !closing => {
                // What was taken is still finished; nothing new comes in.
                queue.close();
                closing = true;
                continue;
            }
        };
        if taken == 0 {
            return;
        }
        waiting.iter_mut().for_each(|one| one.place = None);
        gather(&mut queue, &mut waiting, batch).await;
        let units: Vec<&Transaction> = waiting.iter().map(|one| &one.unit).collect();
        log::trace!("a batch of {}", units.len());
        let Some(answers) = writer.apply_batch(&units).await else {
            // Whoever waits would wait as long, and in vain.
            while let Ok(one) = queue.try_recv() {
                waiting.push(one);
            }
            for one in waiting.drain(..) {
                let _ = one.reply.send(Err(ApplyError::Unavailable));
            }
            continue;
        };
        for (one, answer) in waiting.drain(..).zip(answers) {
            // Whoever has gone away meanwhile finds the answer by asking again.
            let _ = one.reply.send(answer);
        }
    }
}

/// Lets everybody who is ready ask first, for as long as more come: those who have just been answered, often. No timer, so that
/// a lone unit is not kept.
async fn gather(
    queue: &mut mpsc::UnboundedReceiver<Waiting>,
    waiting: &mut Vec<Waiting>,
    batch: usize,
) {
    let mut seen = 0;
    while waiting.len() < batch && waiting.len() != seen {
        seen = waiting.len();
        tokio::task::yield_now().await;
        while waiting.len() < batch
            && let Ok(mut one) = queue.try_recv()
        {
            one.place = None;
            waiting.push(one);
        }
    }
}

/// How far a batch came before the database failed.
enum Stop {
    /// It did not even begin.
    Begin(DbErr),
    /// Something in it does not go; nothing was committed.
    Inside(DbErr),
    /// The commit itself failed.
    Commit(DbErr),
}

impl Writer {
    /// Applies units in one commit where that can be, so that one answer stands for each of them, in their order; none where the
    /// database takes no writes at all.
    async fn apply_batch(&self, units: &[&Transaction]) -> Option<Vec<Outcome>> {
        match self.commit(units).await {
            Ok(answers) => Some(answers),
            Err(Stop::Inside(error)) if units.len() > 1 && !lost_connection(&error) => {
                log::warn!(
                    "a batch of {} units failed, trying them one by one: {error}",
                    units.len()
                );
                let mut answers = Vec::with_capacity(units.len());
                for unit in units {
                    match self.commit(&[unit]).await {
                        Ok(one) => answers.extend(one),
                        Err(stop) => {
                            answers.push(Err(self.unavailable(&stop)));
                            if matches!(stop, Stop::Begin(_)) {
                                break;
                            }
                        }
                    }
                }
                answers.resize(units.len(), Err(ApplyError::Unavailable));
                Some(answers)
            }
            Err(Stop::Commit(error)) if lost_connection(&error) => {
                log::warn!("a commit was lost, trying again what counts once: {error}");
                let again = units.iter().copied().filter(|unit| unit.counts_once());
                let mut answers = match self.commit(&again.collect::<Vec<_>>()).await {
                    Ok(answers) => answers.into_iter(),
                    Err(stop) => {
                        self.unavailable(&stop);
                        Vec::new().into_iter()
                    }
                };
                // Whether the others happened nobody knows.
                let answer = |unit: &&Transaction| match unit.counts_once() {
                    true => answers.next().unwrap_or(Err(ApplyError::Unavailable)),
                    false => Err(ApplyError::Unavailable),
                };
                Some(units.iter().map(answer).collect())
            }
            Err(stop) => {
                let error = self.unavailable(&stop);
                let begun = !matches!(stop, Stop::Begin(_));
                begun.then(|| units.iter().map(|_| Err(error)).collect())
            }
        }
    }

    /// Commits once, and again from the beginning where another instance was there first, or where the connection was lost and
    /// nothing can count twice.
    async fn commit(&self, units: &[&Transaction]) -> Result<Vec<Outcome>, Stop> {
        let begun = Instant::now();
        let mut races = 1;
        loop {
            match self.commit_once(units).await {
                Err(Stop::Inside(error) | Stop::Commit(error))
                    if lost_race(&error) && races < TRIES =>
                {
                    races += 1;
                    log::debug!("a race was lost, trying again: {error}");
                }
                Err(Stop::Inside(error)) if lost_connection(&error) && begun.elapsed() < LOST => {
                    log::warn!("a connection was lost before the commit, trying again: {error}");
                }
                Err(Stop::Commit(error))
                    if lost_connection(&error)
                        && begun.elapsed() < LOST
                        && units.iter().all(|unit| unit.counts_once()) =>
                {
                    log::warn!("a commit was lost, trying again: {error}");
                }
                done => return done,
            }
        }
    }

    async fn commit_once(&self, units: &[&Transaction]) -> Result<Vec<Outcome>, Stop> {
        let transaction = self.database.begin_write().await.map_err(Stop::Begin)?;
        let mut book = rows::load(&transaction, units)
            .await
            .map_err(Stop::Inside)?;
        // Only now, since whoever waited for a lock comes after the one that it waited for.
        let now = self.clock.now();
        let answers = units
            .iter()
            .map(|unit| book.apply(unit, now).map_err(ApplyError::from))
            .collect();
        let changes = book.into_changes();
        if changes.is_empty() {
            return Ok(answers);
        }
        rows::save(&transaction, &changes, self.shard)
            .await
            .map_err(Stop::Inside)?;
        transaction.commit().await.map_err(Stop::Commit)?;
        Ok(answers)
    }
}

impl Writer {
    fn unavailable(&self, stop: &Stop) -> ApplyError {
        self.database.record_failed_write();
        match stop {
            Stop::Begin(error) => log::error!("the database takes no writes: {error}"),
            Stop::Inside(error) => log::error!("a unit failed: {error}"),
            Stop::Commit(error) => log::error!("a commit failed: {error}"),
        }
        ApplyError::Unavailable
    }
}
