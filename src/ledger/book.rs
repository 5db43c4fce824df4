//! The book: accounts, lots and used references as a state machine without any I/O.
//!
//! A [`Book`] holds what a batch of postings touches; [`Book::post`] applies one of them entirely or not at all, and
//! [`Book::into_changes`] is what has to be written. Points are whole numbers, times are milliseconds since 1970 UTC.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::entry::{Counter, Entry, Hash};
use super::key::Key;
use super::posting::{AccountKey, MOST, Movement, Posting, Receipt, Refusal};

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

/// The scratch copy on which one posting is tried.
struct Page<'a> {
    book: &'a Book,
    posting: &'a Posting,
    now: i64,
    account: Account,
    entries: Vec<Entry>,
    draws: Option<(Key, Vec<Draw>)>,
    main_seq: i64,
}

/// The type under which lapsed points stand in the history: the document's 16, 积分过期.
const LAPSED: i64 = 16;

impl<'a> Page<'a> {
    fn open(book: &'a Book, posting: &'a Posting, now: i64) -> Self {
        let account = book
            .accounts
            .get(&posting.account)
            .cloned()
            .unwrap_or_default();
        Page {
            book,
            posting,
            now,
            account,
            entries: Vec::new(),
            draws: None,
            main_seq: 0,
        }
    }

    fn lapse(&mut self, due_by: i64) -> Result<(), Refusal> {
        while let Some(lot) = self.account.lots.first().copied()
            && lot.expires_at <= due_by
        {
            self.account.lots.remove(0);
            // The history shows the last second in which the points still counted.
            let at = lot.expires_at.saturating_sub(1000).min(self.now);
            self.enter(at, -lot.remaining, Counter::Lapsed, None)?;
        }
        Ok(())
    }

    fn earn(&mut self, amount: i64, expires_at: i64) -> Result<(), Refusal> {
        in_range(amount)?;
        self.put_into_lot(expires_at, amount)?;
        self.enter(self.now, amount, Counter::Issued, Some(self.posting))
    }

    fn spend(&mut self, amount: i64, order: Option<Key>) -> Result<(), Refusal> {
        in_range(amount)?;
        if self.account.balance < amount {
            return Err(Refusal::Insufficient);
        }
        let spend_seq = self.account.last_seq + 1;
        let mut draws = order.map(|order| (order, self.book.draws(&order).to_vec()));
        let mut left = amount;
        for lot in &mut self.account.lots {
            let drawn = left.min(lot.remaining);
            if drawn == 0 {
                break;
            }
            lot.remaining -= drawn;
            left -= drawn;
            if let Some((_, draws)) = &mut draws {
                draws.push(Draw {
                    spend_seq,
                    expires_at: lot.expires_at,
                    drawn,
                    returned: 0,
                });
            }
        }
        if left > 0 {
            // Only a ledger that does not add up comes here: rather no spend than one out of nothing.
            return Err(Refusal::Insufficient);
        }
        self.account.lots.retain(|lot| lot.remaining > 0);
        self.draws = draws;
        self.enter(self.now, -amount, Counter::Redeemed, Some(self.posting))
    }

    fn give_back(&mut self, amount: i64, order: Key) -> Result<(), Refusal> {
        in_range(amount)?;
        let mut draws = self.book.draws(&order).to_vec();
        if draws.is_empty() {
            return Err(Refusal::NothingSpent);
        }
        let mut left = amount;
        for draw in draws.iter_mut().rev() {
            let back = left.min(draw.drawn - draw.returned);
            if back == 0 {
                continue;
            }
            draw.returned += back;
            left -= back;
            self.put_into_lot(draw.expires_at, back)?;
        }
        if left > 0 {
            return Err(Refusal::ReturnExceeds);
        }
        self.draws = Some((order, draws));
        self.enter(self.now, amount, Counter::Redeemed, Some(self.posting))
    }

    fn put_into_lot(&mut self, expires_at: i64, amount: i64) -> Result<(), Refusal> {
        let lots = &mut self.account.lots;
        match lots.binary_search_by_key(&expires_at, |lot| lot.expires_at) {
            Ok(i) => {
                lots[i].remaining = lots[i]
                    .remaining
                    .checked_add(amount)
                    .ok_or(Refusal::OutOfRange)?;
            }
            Err(i) => lots.insert(
                i,
                Lot {
                    expires_at,
                    remaining: amount,
                },
            ),
        }
        Ok(())
    }

    /// Writes an entry; without a posting, it is one that time made.
    fn enter(
        &mut self,
        at: i64,
        amount: i64,
        counter: Counter,
        by: Option<&Posting>,
    ) -> Result<(), Refusal> {
        let account = &mut self.account;
        account.balance = account
            .balance
            .checked_add(amount)
            .ok_or(Refusal::OutOfRange)?;
        account.last_seq += 1;
        account.income_seq += i64::from(amount > 0);
        account.last_at = account.last_at.max(at);
        let mut entry = Entry {
            account: self.posting.account.clone(),
            seq: account.last_seq,
            at: account.last_at,
            kind: by.map_or(LAPSED, |posting| posting.kind),
            amount,
            balance_after: account.balance,
            counter,
            direction_seq: match amount > 0 {
                true => account.income_seq,
                false => account.last_seq - account.income_seq,
            },
            reference: by.and_then(|posting| posting.reference.clone()),
            message: by.and_then(|posting| posting.message.clone()),
            operator: by.and_then(|posting| posting.operator),
            guard: by.and_then(|posting| posting.once).map(|once| once.key),
            hash: Hash::default(),
        };
        entry.hash = entry.hash_after(&account.head);
        account.head = entry.hash;
        if by.is_some() {
            self.main_seq = entry.seq;
        }
        self.entries.push(entry);
        Ok(())
    }
}

fn in_range(amount: i64) -> Result<(), Refusal> {
    if (1..=MOST).contains(&amount) {
        Ok(())
    } else {
        Err(Refusal::OutOfRange)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
