//! Balance reads, coalesced: all that wait become one statement. There is no cache, so no balance is stale.
//!
//! The first reader starts a task that reads for everyone, on the reader's own thread: it runs after the other tasks that are
//! ready there have asked too, and wakes no other thread but the database's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::DbErr;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::database::clock::ClockGuard;
use crate::ledger::database::{Database, statements};
use crate::ledger::{ReadError, Settings};

/// Reads balances.
pub struct Balances {
    database: Database,
    clock: Clock,
    clock_guard: ClockGuard,
    settings: Settings,
    queue: Mutex<Queue>,
}

/// The reads that wait, and whether a task works for them.
#[derive(Default)]
struct Queue {
    waiting: Vec<BalanceRead>,
    has_task: bool,
}

/// A read that waits; it is dropped without a reply if the database fails.
struct BalanceRead {
    account: AccountKey,
    reply: oneshot::Sender<Option<i64>>,
}

impl Balances {
    /// Reads from this database, within the queue and batch of these settings.
    pub fn new(
        database: Database,
        clock: Clock,
        clock_guard: ClockGuard,
        settings: Settings,
    ) -> Balances {
        Balances {
            database,
            clock,
            clock_guard,
            settings,
            queue: Mutex::default(),
        }
    }

    /// The points that count in an account now. `None` if there is no such account.
    ///
    /// # Errors
    /// Returns [`ReadError`] if too many reads wait or the database fails.
    pub async fn read(self: &Arc<Self>, account: AccountKey) -> Result<Option<i64>, ReadError> {
        let (reply, balance) = oneshot::channel();
        let has_task = {
            let mut queue = self.lock();
            if queue.waiting.len() >= self.settings.queue {
                return Err(ReadError::Busy);
            }
            queue.waiting.push(BalanceRead { account, reply });
            std::mem::replace(&mut queue.has_task, true)
        };
        if !has_task {
            // A task of its own, because this reader may go away while others wait.
            let task = Coalescer {
                balances: self.clone(),
                done: false,
            };
            tokio::spawn(task.run());
        }
        balance.await.map_err(|_| ReadError::Unavailable)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The balances for these reads, in their order.
    async fn balances_of(&self, reads: &[BalanceRead]) -> Result<Vec<Option<i64>>, DbErr> {
        let now = self.clock.now();
        // By a wrong clock, points would be missing that are not due.
        let trusted = self.clock_guard.check(now);
        trusted.map_err(|gap| DbErr::Custom(gap.to_string()))?;
        let mut balances = vec![None; reads.len()];
        let all = reads.iter().enumerate();
        let all = all.map(|(at, read)| (at, read.account.owner.as_str()));
        self.read_into(&mut balances, reads, all, now).await?;
        // An owner without a row may be the other name of a linked member, and an empty account one that a link left behind.
        let unsure: Vec<usize> = (0..reads.len())
            .filter(|&at| balances[at].unwrap_or_default() == 0)
            .collect();
        let accounts = unsure.iter().map(|&at| &reads[at].account);
        let accounts: Vec<(&str, &str)> = accounts
            .map(|account| (account.asset.as_str(), account.owner.as_str()))
            .collect();
        let owners = statements::owners(self.database.balances(), &accounts).await?;
        let linked = owners
            .iter()
            .filter_map(|(place, owner)| Some((*unsure.get(*place)?, owner.as_str())));
        self.read_into(&mut balances, reads, linked, now).await?;
        Ok(balances)
    }

    /// Reads the balances for some of the reads, given as their places and their owners' names.
    async fn read_into<'n>(
        &self,
        balances: &mut [Option<i64>],
        reads: &[BalanceRead],
        owners: impl Iterator<Item = (usize, &'n str)>,
        now: i64,
    ) -> Result<(), DbErr> {
        let mut by_asset: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for (at, owner) in owners {
            let asset = reads[at].account.asset.as_str();
            by_asset.entry(asset).or_default().push((at, owner));
        }
        for (asset, of) in by_asset {
            let owners: Vec<&str> = of.iter().map(|(_, owner)| *owner).collect();
            let more = [asset.into(), now.into()];
            let db = self.database.balances();
            for (row, balance) in
                statements::query::<(usize, i64)>(db, &statements::BALANCES, &owners, more).await?
            {
                if let Some(&(at, _)) = of.get(row) {
                    balances[at] = Some(balance);
                }
            }
        }
        Ok(())
    }
}

/// The task that reads for all that wait, until none does.
struct Coalescer {
    balances: Arc<Balances>,
    done: bool,
}

impl Coalescer {
    /// Lets the tasks that are ready to run ask first, for as long as more of them come. There is no timer, so that a lone
    /// read does not wait.
    async fn coalesce(&self) {
        let mut seen = 0;
        loop {
            tokio::task::yield_now().await;
            let waiting = self.balances.lock().waiting.len();
            if waiting == seen || waiting >= self.balances.settings.batch {
                return;
            }
            seen = waiting;
        }
    }

    async fn run(mut self) {
        loop {
            self.coalesce().await;
            let reads = {
                let mut queue = self.balances.lock();
                let count = queue.waiting.len().min(self.balances.settings.batch);
                if count == 0 {
                    // The next reader starts another task.
                    queue.has_task = false;
                    self.done = true;
                    return;
                }
                queue.waiting.drain(..count).collect::<Vec<_>>()
            };
            match self
                .balances
                .database
                .again(|| self.balances.balances_of(&reads))
                .await
            {
                Ok(balances) => {
                    for (read, balance) in reads.into_iter().zip(balances) {
                        let _ = read.reply.send(balance);
                    }
                }
                Err(error) => log::error!("cannot read balances: {error}"),
            }
        }
    }
}

impl Drop for Coalescer {
    /// Fails the reads that wait if the task's runtime ends in the middle; the next reader starts another task.
    fn drop(&mut self) {
        if !self.done {
            let mut queue = self.balances.lock();
            queue.has_task = false;
            queue.waiting.clear();
        }
    }
}
