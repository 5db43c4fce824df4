//! The book: accounts, lots and used references as a state machine without any I/O.
//!
//! A [`Book`] holds what a batch of postings touches; [`Book::post`] applies one of them entirely or not at all, and
//! [`Book::into_changes`] is what has to be written. Points are whole numbers, times are milliseconds since 1970 UTC.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::entry::{Counter, Entry, Hash};
use super::key::Key;
use super::posting::{AccountKey, Movement, Nonce, Posting, Receipt, Refusal, Unit};
use page::Page;

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
    /// The entry that it made.
    pub seq: i64,
}

/// The part of the ledger that a batch touches.
#[derive(Debug, Default)]
pub struct Book {
    accounts: HashMap<AccountKey, Account>,
    used: HashMap<Key, Used>,
    draws: HashMap<Key, Vec<Draw>>,
    spent: HashSet<Nonce>,
    changes: Changes,
}

/// What a batch changed, to be written in one transaction.
#[derive(Debug, Default)]
pub struct Changes {
    /// Accounts as they are now, in key order.
    pub accounts: BTreeMap<AccountKey, Account>,
    /// New entries, in the order in which they were made.
    pub entries: Vec<Entry>,
    /// Lots that now hold nothing.
    pub emptied: BTreeSet<(AccountKey, i64)>,
    /// New retry guards.
    pub used: Vec<(AccountKey, Key, Used)>,
    /// New and changed draws, by order.
    pub draws: BTreeMap<Key, (AccountKey, Vec<Draw>)>,
    /// What the counter accounts gain, by asset.
    pub counters: BTreeMap<(String, Counter), i64>,
    /// Nonces that are now spent.
    pub nonces: Vec<Nonce>,
}

impl Changes {
    /// Whether there is nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.nonces.is_empty()
    }
}

impl Book {
    /// Puts in an account as it stands.
    pub fn put_account(&mut self, key: AccountKey, account: Account) {
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

    /// Applies one unit at the time `now`, entirely or not at all, and gives the receipt of its posting.
    ///
    /// # Errors
    /// A [`Refusal`]; the book is then as it was before.
    pub fn apply(&mut self, unit: &Unit, now: i64) -> Result<Option<Receipt>, Refusal> {
        if unit.nonce.is_some_and(|nonce| self.spent.contains(&nonce)) {
            return Err(Refusal::NonceSpent);
        }
        let posting = unit.posting.as_ref();
        let receipt = posting.map(|posting| self.post(posting, now)).transpose()?;
        if let Some(nonce) = unit.nonce {
            self.spent.insert(nonce);
            self.changes.nonces.push(nonce);
        }
        Ok(receipt)
    }

    /// Applies one posting at the time `now`, entirely or not at all.
    ///
    /// # Errors
    /// A [`Refusal`]; the book is then as it was before.
    pub fn post(&mut self, posting: &Posting, now: i64) -> Result<Receipt, Refusal> {
        if let Some(once) = posting.once
            && let Some(used) = self.used.get(&once.key)
        {
            return match used.content == once.content {
                true => Ok(Receipt {
                    balance: used.balance,
                    repeated: true,
                }),
                false => Err(Refusal::ReferenceUsed),
            };
        }
        let mut page = Page::open(self, posting, now);
        page.lapse(now)?;
        match posting.movement {
            Movement::Earn { amount, expires_at } => page.earn(amount, expires_at)?,
            Movement::Spend { amount, order } => page.spend(amount, order)?,
            Movement::Return { amount, order } => page.give_back(amount, order)?,
            Movement::Lapse { due_by } => page.lapse(due_by.max(now))?,
        }
        // What came into a lot that is due already lapses in the same unit.
        page.lapse(now)?;
        let receipt = Receipt {
            balance: page.account.balance,
            repeated: false,
        };
        let Page {
            account,
            entries,
            draws,
            main_seq,
            ..
        } = page;
        self.keep(posting, account, entries, draws, main_seq);
        Ok(receipt)
    }

    /// What has to be written.
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    fn keep(
        &mut self,
        posting: &Posting,
        account: Account,
        entries: Vec<Entry>,
        draws: Option<(Key, Vec<Draw>)>,
        main_seq: i64,
    ) {
        if entries.is_empty() {
            return;
        }
        let key = &posting.account;
        if let Some(before) = self.accounts.get(key) {
            for lot in &before.lots {
                if account
                    .lots
                    .iter()
                    .all(|left| left.expires_at != lot.expires_at)
                {
                    self.changes.emptied.insert((key.clone(), lot.expires_at));
                }
            }
        }
        for lot in &account.lots {
            self.changes.emptied.remove(&(key.clone(), lot.expires_at));
        }
        for entry in &entries {
            *self
                .changes
                .counters
                .entry((key.asset.clone(), entry.counter))
                .or_default() -= entry.amount;
        }
        if let Some(once) = posting.once {
            let used = Used {
                content: once.content,
                balance: account.balance,
                seq: main_seq,
            };
            self.used.insert(once.key, used);
            self.changes.used.push((key.clone(), once.key, used));
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

mod page;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
