//! Balance reads, gathered: those that wait become one statement. Nothing is cached, so nothing can be stale.
//!
//! Whoever asks while nobody is gathering starts a task that does, on the asker's own thread: it runs after all that is
//! ready there has asked too, and no other thread has to be woken but the database's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::DbErr;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::database::{Database, statements};
use crate::ledger::write::retry::again;
use crate::ledger::{Limits, ReadError};

/// Reads balances.
pub struct Balances {
    database: Database,
    clock: Clock,
    limits: Limits,
    waiting: Mutex<Waiting>,
}

/// Those who wait, and whether a task is at work for them.
#[derive(Default)]
struct Waiting {
    asked: Vec<Asked>,
    gathering: bool,
}

/// A balance that somebody waits for; it is dropped unanswered where the database fails.
struct Asked {
    account: AccountKey,
    reply: oneshot::Sender<Option<i64>>,
}

impl Balances {
    /// From this database.
    pub fn new(database: Database, clock: Clock, limits: Limits) -> Balances {
        Balances {
            database,
            clock,
            limits,
            waiting: Mutex::default(),
        }
    }

    /// The points of an account that count now; none where there is no such account.
    ///
    /// # Errors
    /// Too many readers, or a database that fails.
    pub async fn read(self: &Arc<Self>, account: AccountKey) -> Result<Option<i64>, ReadError> {
        let (reply, balance) = oneshot::channel();
        let gathering = {
            let mut waiting = self.lock();
            if waiting.asked.len() >= self.limits.queue {
                return Err(ReadError::Busy);
            }
            waiting.asked.push(Asked { account, reply });
            std::mem::replace(&mut waiting.gathering, true)
        };
        if !gathering {
            // A task of its own, since the asker may go away while others wait.
            tokio::spawn(
                Gatherer {
                    balances: self.clone(),
                    done: false,
                }
                .run(),
            );
        }
        balance.await.map_err(|_| ReadError::Unavailable)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The balances of these accounts, in their order.
    async fn of(&self, asked: &[Asked]) -> Result<Vec<Option<i64>>, DbErr> {
        let now = self.clock.now();
        let mut balances = vec![None; asked.len()];
        let all = asked.iter().enumerate();
        let all = all.map(|(place, one)| (place, one.account.owner.as_str()));
        self.read_into(&mut balances, asked, all, now).await?;
        // Who is not found may be known by another name.
        let missing: Vec<usize> = (0..asked.len())
            .filter(|&place| balances[place].is_none())
            .collect();
        let names: Vec<&str> = missing
            .iter()
            .map(|&place| asked[place].account.owner.as_str())
            .collect();
        let db = self.database.balances();
        let owners =
            statements::ask::<(usize, String)>(db, &statements::ALIASES, &names, []).await?;
        let renamed = owners
            .iter()
            .filter_map(|(name, owner)| Some((*missing.get(*name)?, owner.as_str())));
        self.read_into(&mut balances, asked, renamed, now).await?;
        Ok(balances)
    }

    /// Reads the balances at these places, under these owners' names.
    async fn read_into<'n>(
        &self,
        balances: &mut [Option<i64>],
        asked: &[Asked],
        of: impl Iterator<Item = (usize, &'n str)>,
        now: i64,
    ) -> Result<(), DbErr> {
        let mut by_asset: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for (place, owner) in of {
            let asset = asked[place].account.asset.as_str();
            by_asset.entry(asset).or_default().push((place, owner));
        }
        for (asset, of) in by_asset {
            let owners: Vec<&str> = of.iter().map(|(_, owner)| *owner).collect();
            let more = [asset.into(), now.into()];
            let db = self.database.balances();
            for (row, balance) in
                statements::ask::<(usize, i64)>(db, &statements::BALANCES, &owners, more).await?
            {
                if let Some(&(place, _)) = of.get(row) {
                    balances[place] = Some(balance);
                }
            }
        }
        Ok(())
    }
}

/// At work for those who wait, until none does.
struct Gatherer {
    balances: Arc<Balances>,
    done: bool,
}

impl Gatherer {
    /// Lets everybody who is ready ask first, for as long as more come: no timer, so that a lone reader is not kept.
    async fn gather(&self) {
        let mut seen = 0;
        loop {
            tokio::task::yield_now().await;
            let asked = self.balances.lock().asked.len();
            if asked == seen || asked >= self.balances.limits.batch {
                return;
            }
            seen = asked;
        }
    }

    async fn run(mut self) {
        loop {
            self.gather().await;
            let asked = {
                let mut waiting = self.balances.lock();
                let count = waiting.asked.len().min(self.balances.limits.batch);
                if count == 0 {
                    // From here on somebody else may gather.
                    waiting.gathering = false;
                    self.done = true;
                    return;
                }
                waiting.asked.drain(..count).collect::<Vec<_>>()
            };
            match again(|| self.balances.of(&asked)).await {
                Ok(balances) => {
                    for (one, balance) in asked.into_iter().zip(balances) {
                        let _ = one.reply.send(balance);
                    }
                }
                Err(error) => log::error!("balances could not be read: {error}"),
            }
        }
    }
}

impl Drop for Gatherer {
    /// Its thread ended in the middle: those who wait hear so, and the next to ask starts anew.
    fn drop(&mut self) {
        if !self.done {
            let mut waiting = self.balances.lock();
            waiting.gathering = false;
            waiting.asked.clear();
        }
    }
}
