//! The writers: the only tasks that change accounts. A writer takes every transaction that is queued for it, applies them on
//! a [`Book`](crate::ledger::book::Book) and commits once for all; it does not delay a lone transaction.

use std::fmt;
use std::time::Instant;

use sea_orm::DbErr;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::clock::Clock;
use crate::ledger::Settings;
use crate::ledger::book::journal::PendingRecord;
use crate::ledger::book::transaction::{Applied, Rejection, Transaction};
use crate::ledger::database::Database;
use crate::ledger::database::clock::{ClockGap, ClockGuard};
use crate::ledger::database::retry::{LOST, RACING, TRIES, lost_connection, lost_race};
use crate::ledger::journal;
use crate::ledger::write::load::load;
use crate::ledger::write::origins::KnownOrigins;
use crate::ledger::write::save::save;

/// Why the ledger did not apply a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// A rule forbids it; nothing has changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The queue is full; nothing has changed.
    #[error("the queue of transactions is full")]
    Busy,
    /// The database failed. Nothing has changed as far as the database says; an idempotent transaction may be sent again.
    #[error("the ledger does not answer")]
    Unavailable,
}

type Outcome = Result<Applied, ApplyError>;

/// A transaction in the queue.
pub struct Queued {
    transaction: Transaction,
    /// Its place in the queue, until a writer takes it.
    place: Option<OwnedSemaphorePermit>,
    reply: oneshot::Sender<Outcome>,
}

impl Queued {
    /// A transaction for the queue, and the receiver of its outcome.
    pub fn new(
        transaction: Transaction,
        place: OwnedSemaphorePermit,
    ) -> (Queued, oneshot::Receiver<Outcome>) {
        let (reply, outcome) = oneshot::channel();
        let queued = Queued {
            transaction,
            place: Some(place),
            reply,
        };
        (queued, outcome)
    }
}

/// The writer of one partition.
pub struct Writer {
    /// The database of the ledger.
    pub database: Database,
    /// Gives the time of what it writes.
    pub clock: Clock,
    /// Knows whether that can be trusted.
    pub clock_guard: ClockGuard,
    /// The ledger's settings.
    pub settings: Settings,
    /// The row of each contra account that it writes.
    pub shard: i64,
    /// The origins that it has seen.
    pub origins: KnownOrigins,
}

/// Applies queued transactions until all senders are gone, or until `stop` fires and the queue is empty. If it panics, it can be
/// called again.
pub async fn run(
    writer: &Writer,
    queue: &mut mpsc::UnboundedReceiver<Queued>,
    stop: &mut oneshot::Receiver<()>,
) {
    let batch = writer.settings.batch;
    let mut waiting = Vec::with_capacity(batch);
    let mut closing = queue.is_closed();
    loop {
        let taken = tokio::select! {
            taken = queue.recv_many(&mut waiting, batch) => taken,
            _ = &mut *stop, if !closing => {
                // The queue takes nothing new, and the writer finishes what is in it.
                queue.close();
                closing = true;
                continue;
            }
        };
        if taken == 0 {
            return;
        }
        waiting.iter_mut().for_each(|queued| queued.place = None);
        coalesce(queue, &mut waiting, batch).await;
        let transactions: Vec<&Transaction> = waiting.iter().map(|it| &it.transaction).collect();
        log::trace!("a batch of {}", transactions.len());
        let Some(outcomes) = writer.apply_batch(&transactions).await else {
            // Fail the waiting transactions too: they would hit the same error.
            while let Ok(queued) = queue.try_recv() {
                waiting.push(queued);
            }
            for queued in waiting.drain(..) {
                let _ = queued.reply.send(Err(ApplyError::Unavailable));
            }
            continue;
        };
        for (queued, outcome) in waiting.drain(..).zip(outcomes) {
            // A caller that has gone away finds the outcome by retrying.
            let _ = queued.reply.send(outcome);
        }
    }
}

/// Lets the tasks that are ready to run queue their transactions first, for as long as more of them come. There is no timer,
/// so that a lone transaction does not wait.
async fn coalesce(
    queue: &mut mpsc::UnboundedReceiver<Queued>,
    waiting: &mut Vec<Queued>,
    batch: usize,
) {
    let mut seen = 0;
    while waiting.len() < batch && waiting.len() != seen {
        seen = waiting.len();
        tokio::task::yield_now().await;
        while waiting.len() < batch
            && let Ok(mut queued) = queue.try_recv()
        {
            queued.place = None;
            waiting.push(queued);
        }
    }
}

/// How far a batch came before the database failed.
enum Failed {
    /// The clock is not trusted; nothing was tried.
    Clock(ClockGap),
    /// The database transaction did not begin.
    Begin(DbErr),
    /// A statement failed; nothing was committed.
    Inside(DbErr),
    /// The commit failed; it may have happened.
    Commit(DbErr),
}

impl Writer {
    /// Applies transactions in one commit if possible, and gives their outcomes in their order. Returns `None` if the database
    /// takes no writes at all.
    async fn apply_batch(&self, transactions: &[&Transaction]) -> Option<Vec<Outcome>> {
        match self.commit(transactions).await {
            Ok(outcomes) => Some(outcomes),
            Err(Failed::Inside(error)) if transactions.len() > 1 && !lost_connection(&error) => {
                log::warn!(
                    "a batch of {} transactions failed, trying them one by one: {error}{}",
                    transactions.len(),
                    RequestIds(transactions)
                );
                Some(self.apply_one_by_one(transactions).await)
            }
            Err(Failed::Commit(error)) if lost_connection(&error) => {
                log::warn!(
                    "a commit was lost, trying its idempotent transactions again: {error}{}",
                    RequestIds(transactions)
                );
                Some(self.apply_idempotent(transactions).await)
            }
            Err(failed) => {
                let error = self.unavailable(&failed, transactions);
                let begun = !matches!(failed, Failed::Begin(_) | Failed::Clock(_));
                begun.then(|| vec![Err(error); transactions.len()])
            }
        }
    }

    /// Applies each transaction in a commit of its own, so that one that fails does not fail the others.
    async fn apply_one_by_one(&self, transactions: &[&Transaction]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            match self.commit(&[transaction]).await {
                Ok(outcome) => outcomes.extend(outcome),
                Err(failed) => {
                    outcomes.push(Err(self.unavailable(&failed, &[transaction])));
                    if matches!(failed, Failed::Begin(_) | Failed::Clock(_)) {
                        break;
                    }
                }
            }
        }
        outcomes.resize(transactions.len(), Err(ApplyError::Unavailable));
        outcomes
    }

    /// Applies the idempotent transactions of a batch whose commit may have happened. The others fail: trying them again
    /// could count twice.
    async fn apply_idempotent(&self, transactions: &[&Transaction]) -> Vec<Outcome> {
        let again = transactions.iter().copied();
        let again: Vec<_> = again.filter(|it| it.is_idempotent()).collect();
        let mut outcomes = match self.commit(&again).await {
            Ok(outcomes) => outcomes.into_iter(),
            Err(failed) => {
                self.unavailable(&failed, &again);
                Vec::new().into_iter()
            }
        };
        let outcome = |transaction: &&Transaction| match transaction.is_idempotent() {
            true => outcomes.next().unwrap_or(Err(ApplyError::Unavailable)),
            false => Err(ApplyError::Unavailable),
        };
        transactions.iter().map(outcome).collect()
    }

    /// Commits once. It starts again from the beginning if another writer was first, or if the connection was lost and nothing
    /// can count twice.
    async fn commit(&self, transactions: &[&Transaction]) -> Result<Vec<Outcome>, Failed> {
        let begun = Instant::now();
        let mut tries = 1;
        loop {
            match self.commit_once(transactions).await {
                Err(Failed::Inside(error) | Failed::Commit(error))
                    if lost_race(&error) && tries < TRIES && begun.elapsed() < RACING =>
                {
                    tries += 1;
                    log::debug!("a race was lost, trying again: {error}");
                }
                Err(Failed::Inside(error)) if lost_connection(&error) && begun.elapsed() < LOST => {
                    log::warn!(
                        "a connection was lost before the commit, trying again: {error}{}",
                        RequestIds(transactions)
                    );
                }
                Err(Failed::Commit(error))
                    if lost_connection(&error)
                        && begun.elapsed() < LOST
                        && transactions.iter().all(|it| it.is_idempotent()) =>
                {
                    log::warn!(
                        "a commit was lost, trying again: {error}{}",
                        RequestIds(transactions)
                    );
                }
                done => return done,
            }
        }
    }

    async fn commit_once(&self, transactions: &[&Transaction]) -> Result<Vec<Outcome>, Failed> {
        let db = self.database.begin_write().await.map_err(Failed::Begin)?;
        // Before the accounts, so that no writer that waits for an origin has an account that others wait for.
        let origins = self.origins.resolve(&db, transactions);
        let (origins, new) = origins.await.map_err(Failed::Inside)?;
        let mut book = load(&db, transactions, self.settings.expiry_reason)
            .await
            .map_err(Failed::Inside)?;
        book.put_origins(origins);
        // Read the time after the locks are taken: entries of an account never go back in time.
        let now = self.clock.now();
        self.clock_guard.check(now).map_err(Failed::Clock)?;
        let outcomes = transactions
            .iter()
            .map(|transaction| book.apply(transaction, now).map_err(ApplyError::from))
            .collect();
        let changes = book.into_changes();
        if changes.is_empty() {
            return Ok(outcomes);
        }
        save(&db, &changes, self.shard)
            .await
            .map_err(Failed::Inside)?;
        for PendingRecord { event, operator } in &changes.pending_records {
            let noted = journal::append(&db, event, now, operator.clone()).await;
            noted.map_err(Failed::Inside)?;
        }
        db.commit().await.map_err(Failed::Commit)?;
        self.origins.remember(new);
        Ok(outcomes)
    }

    /// Logs and records the failure of a write.
    fn unavailable(&self, failed: &Failed, transactions: &[&Transaction]) -> ApplyError {
        let ids = RequestIds(transactions);
        if !matches!(failed, Failed::Clock(_)) {
            self.database.record_failed_write();
        }
        match failed {
            Failed::Clock(gap) => log::error!("nothing is written: {gap}{ids}"),
            Failed::Begin(error) => log::error!("the database takes no writes: {error}{ids}"),
            Failed::Inside(error) => log::error!("a transaction failed: {error}{ids}"),
            Failed::Commit(error) => log::error!("a commit failed: {error}{ids}"),
        }
        ApplyError::Unavailable
    }
}

/// Writes the ids of the requests behind a batch into a log line: `id=A,B,… and 500 more`, or nothing where there is none.
struct RequestIds<'a>(&'a [&'a Transaction]);

/// The most request ids in one log line.
const LOGGED_IDS: usize = 16;

impl fmt::Display for RequestIds<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = || self.0.iter().filter_map(|it| it.request_id.as_deref());
        for (place, id) in ids().take(LOGGED_IDS).enumerate() {
            out.write_str(if place == 0 { " id=" } else { "," })?;
            out.write_str(id)?;
        }
        match ids().count().saturating_sub(LOGGED_IDS) {
            0 => Ok(()),
            more => write!(out, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_names_the_requests_and_stays_short() {
        let of = |id: Option<&str>| Transaction {
            request_id: id.map(Into::into),
            ..Transaction::default()
        };
        let shown = |all: &[Transaction]| {
            let all: Vec<&Transaction> = all.iter().collect();
            RequestIds(&all).to_string()
        };
        assert_eq!(shown(&[of(None)]), "");
        assert_eq!(shown(&[of(Some("a")), of(None), of(Some("b"))]), " id=a,b");
        let many = shown(&vec![of(Some("a")); 512]);
        assert!(many.ends_with("a,a and 496 more"), "{many}");
    }
}
