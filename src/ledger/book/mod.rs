//! The book: accounts, lots and used references as a state machine without any I/O.
//!
//! A [`Book`] holds what a batch of postings touches; [`Book::post`] applies one of them entirely or not at all, and
//! [`Book::into_changes`] is what has to be written. Points are whole numbers, times are milliseconds since 1970 UTC.

pub mod entry;
pub mod key;
pub mod transaction;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::ledger::book::entry::{Counter, Entry, Guard, Hash};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{
    AccountKey, Action, Applied, Nonce, Posting, Receipt, Rejection, Transaction,
};
use attempt::{Draft, View};

/// Points of an account that lapse together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// From when on they no longer count.
    pub expires_at: i64,
    /// Points left.
    pub remaining: i64,
}

/// An account as the book knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The database's number, once it has one.
    pub id: Option<i64>,
    /// Points, those of lots included that are due but not yet lapsed.
    pub balance: i64,
    /// Number of entries.
    pub last_seq: i64,
    /// Number of entries that are income.
    pub income_seq: i64,
    /// When the last entry was made.
    pub last_at: i64,
    /// The last entry's hash.
    pub head: Hash,
    /// By expiry, soonest first; none of them empty.
    pub lots: Vec<Lot>,
}

/// The part of a spend that came out of one lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The spending entry.
    pub spend_seq: i64,
    /// The lot.
    pub expires_at: i64,
    /// Points taken.
    pub drawn: i64,
    /// Points given back since.
    pub returned: i64,
}

/// What a retry guard remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// What was asked.
    pub content: Key,
    /// What was answered.
    pub balance: i64,
}

impl From<Guard> for Used {
    fn from(guard: Guard) -> Used {
        Used {
            content: guard.idempotency.fingerprint,
            balance: guard.answered,
        }
    }
}

/// The part of the ledger that a batch touches.
#[derive(Debug, Default)]
pub struct Book {
    accounts: HashMap<AccountKey, Account>,
    /// The lots of accounts as they were put in.
    lots: HashMap<AccountKey, Vec<Lot>>,
    used: HashMap<Key, Used>,
    draws: HashMap<Key, Vec<Draw>>,
    spent: HashSet<Nonce>,
    aliases: HashMap<String, String>,
    answered: HashMap<Key, String>,
    tallies: HashMap<Tally, i64>,
    changes: Changes,
}

/// What a batch changed, to be written in one transaction.
#[derive(Debug, Default)]
pub struct Changes {
    /// Accounts as they are now, in key order.
    pub accounts: BTreeMap<AccountKey, Account>,
    /// New entries, in the order in which they were made.
    pub entries: Vec<Entry>,
    /// Lots that are new.
    pub opened: Vec<(AccountKey, Lot)>,
    /// Lots that hold more or less than before.
    pub changed: Vec<(AccountKey, Lot)>,
    /// Lots that now hold nothing, by their expiry.
    pub emptied: Vec<(AccountKey, i64)>,
    /// New and changed draws, by order.
    pub draws: BTreeMap<Key, (AccountKey, Vec<Draw>)>,
    /// What the counter accounts gain, by asset.
    pub counters: BTreeMap<(String, Counter), i64>,
    /// Nonces that are now spent.
    pub nonces: Vec<Nonce>,
    /// The turns that new actions took, each of which is one action's alone: where others write at the same time, they may
    /// have taken it.
    pub turns: Vec<Nonce>,
    /// New actions.
    pub actions: Vec<Recorded>,
}

/// An action as it is recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its key.
    pub key: Key,
    /// What was done.
    pub action: Action,
    /// When (ms).
    pub at: i64,
    /// Whether its postings happened, so that it counts towards its limit.
    pub scored: bool,
    /// What was answered.
    pub answer: String,
}

/// What a limit counts: one owner's actions of a name within a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tally {
    /// Who.
    pub owner: String,
    /// What they did.
    pub name: String,
    /// From this time on (ms).
    pub from: i64,
    /// Up to before this time (ms).
    pub until: i64,
}

impl Tally {
    /// Where an action is counted and up to what number; none where it has no limit.
    pub fn of(action: &Action) -> Option<(Tally, i64)> {
        action.limit.map(|limit| {
            let tally = Tally {
                owner: action.owner.clone(),
                name: action.name.clone(),
                from: limit.from,
                until: limit.until,
            };
            (tally, limit.most)
        })
    }

    /// The `nth` turn among what it counts, as a word that is used once.
    fn turn(&self, nth: i64) -> Nonce {
        let (from, nth) = (self.from.to_string(), nth.to_string());
        Nonce {
            at: self.until,
            key: Key::of(&["turn", &self.owner, &self.name, &from, &nth]),
        }
    }
}

impl Changes {
    /// Whether there is nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.nonces.is_empty() && self.actions.is_empty()
    }
}

impl Book {
    /// Puts in an account as it stands.
    pub fn put_account(&mut self, key: AccountKey, account: Account) {
        self.lots.insert(key.clone(), account.lots.clone());
        self.accounts.insert(key, account);
    }

    /// Puts in a used retry guard.
    pub fn put_used(&mut self, key: Key, used: Used) {
        self.used.insert(key, used);
    }

    /// Puts in a draw of an order, in the order in which they were made.
    pub fn put_draw(&mut self, order: Key, draw: Draw) {
        self.draws.entry(order).or_default().push(draw);
    }

    /// An account as it stands now.
    pub fn account(&self, key: &AccountKey) -> Option<&Account> {
        self.accounts.get(key)
    }

    /// What an order has drawn and had back.
    pub fn draws(&self, order: &Key) -> &[Draw] {
        self.draws.get(order).map_or(&[], Vec::as_slice)
    }

    /// Puts in a nonce that has been spent.
    pub fn put_spent(&mut self, nonce: Nonce) {
        self.spent.insert(nonce);
    }

    /// Puts in another name of an owner.
    pub fn put_alias(&mut self, name: String, owner: String) {
        self.aliases.insert(name, owner);
    }

    /// Puts in an action that has been answered.
    pub fn put_answered(&mut self, action: Key, answer: String) {
        self.answered.insert(action, answer);
    }

    /// Puts in how often a limited action has moved points.
    pub fn put_tally(&mut self, tally: Tally, count: i64) {
        self.tallies.insert(tally, count);
    }

    /// Applies one unit at the time `now`, entirely or not at all.
    ///
    /// # Errors
    /// A [`Rejection`]; the book is then as it was before.
    pub fn apply(&mut self, unit: &Transaction, now: i64) -> Result<Applied, Rejection> {
        if unit.nonce.is_some_and(|nonce| self.spent.contains(&nonce)) {
            return Err(Rejection::NonceSpent);
        }
        let action = unit.action.as_ref().map(|action| (action.key(), action));
        if let Some((key, _)) = &action
            && let Some(answer) = self.answered.get(key)
        {
            return Ok(Applied {
                receipts: Vec::new(),
                answer: Some(answer.clone()),
            });
        }
        let tally = unit.action.as_ref().and_then(Tally::of);
        let within = tally.as_ref().is_none_or(|(tally, most)| {
            self.tallies.get(tally).copied().unwrap_or_default() < *most
        });
        let mut drafts = Vec::with_capacity(unit.postings.len());
        for posting in unit.postings.iter().filter(|_| within) {
            let draft = View::new(self, &drafts).draft(posting, now)?;
            drafts.push(draft);
        }
        let applied = Applied {
            receipts: drafts.iter().map(|draft| draft.receipt).collect(),
            answer: action.map(|(key, action)| self.record(key, action, &drafts, now)),
        };
        if let Some((tally, _)) = tally
            && !drafts.is_empty()
        {
            self.count(tally, now);
        }
        for draft in drafts {
            self.keep(draft);
        }
        if let Some(nonce) = unit.nonce {
            self.spent.insert(nonce);
            self.changes.nonces.push(nonce);
        }
        Ok(applied)
    }

    /// Counts one more action.
    fn count(&mut self, tally: Tally, now: i64) {
        let counted = self.tallies.entry(tally.clone()).or_default();
        *counted += 1;
        // One that came too late for its time is not found where that is counted again.
        if (tally.from..tally.until).contains(&now) {
            self.changes.turns.push(tally.turn(*counted));
        }
    }

    /// Records an action whose postings are these, and gives its answer.
    fn record(&mut self, key: Key, action: &Action, drafts: &[Draft<'_>], now: i64) -> String {
        let last = |of: &Draft<'_>| drafts.iter().rev().find(|draft| draft.key == of.key);
        let balances: Vec<Option<i64>> = drafts
            .iter()
            .map(|draft| match draft.main_seq {
                0 => None,
                _ => last(draft).map(|last| last.account.balance),
            })
            .collect();
        let answer = (action.answer)(&balances);
        self.answered.insert(key, answer.clone());
        self.changes.actions.push(Recorded {
            key,
            action: action.clone(),
            at: now,
            scored: !drafts.is_empty(),
            answer: answer.clone(),
        });
        answer
    }

    /// Applies one posting at the time `now`, entirely or not at all.
    ///
    /// # Errors
    /// A [`Rejection`]; the book is then as it was before.
    pub fn post(&mut self, posting: &Posting, now: i64) -> Result<Receipt, Rejection> {
        let draft = View::new(self, &[]).draft(posting, now)?;
        let receipt = draft.receipt;
        self.keep(draft);
        Ok(receipt)
    }

    /// What has to be written.
    pub fn into_changes(mut self) -> Changes {
        let changes = &mut self.changes;
        for (key, account) in &changes.accounts {
            let before = self.lots.get(key).map_or(&[][..], Vec::as_slice);
            for lot in &account.lots {
                match held(before, lot.expires_at) {
                    Some(remaining) if remaining == lot.remaining => {}
                    Some(_) => changes.changed.push((key.clone(), *lot)),
                    None => changes.opened.push((key.clone(), *lot)),
                }
            }
            let gone = |lot: &&Lot| held(&account.lots, lot.expires_at).is_none();
            let gone = before.iter().filter(gone);
            changes
                .emptied
                .extend(gone.map(|lot| (key.clone(), lot.expires_at)));
        }
        self.changes
    }

    fn keep(&mut self, draft: Draft<'_>) {
        let Draft {
            key,
            account,
            entries,
            draws,
            ..
        } = draft;
        if entries.is_empty() {
            return;
        }
        let key = &key;
        for entry in &entries {
            if let Some(guard) = entry.guard {
                self.used.insert(guard.idempotency.key, Used::from(guard));
            }
            *self
                .changes
                .counters
                .entry((key.asset.clone(), entry.counter))
                .or_default() -= entry.amount;
        }
        if let Some((order, draws)) = draws {
            self.draws.insert(order, draws.clone());
            self.changes.draws.insert(order, (key.clone(), draws));
        }
        self.changes.entries.extend(entries);
        self.changes.accounts.insert(key.clone(), account.clone());
        self.accounts.insert(key.clone(), account);
    }
}

/// What the lot that lapses then holds, if there is one.
fn held(lots: &[Lot], expires_at: i64) -> Option<i64> {
    let at = lots.binary_search_by_key(&expires_at, |lot| lot.expires_at);
    at.ok().map(|at| lots[at].remaining)
}

mod attempt;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(super) mod tests;
