//! The scratch copy of an account on which one posting is tried.

use super::{Account, Book, Draw, Lot, Used};
use crate::ledger::book::entry::{Counter, Entry, Guard, Hash};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{
    AccountKey, MOST, Posting, PostingKind, Reason, Receipt, Rejection,
};

/// A posting that has been tried, and what the book is to keep of it.
pub(super) struct Draft<'a> {
    pub posting: &'a Posting,
    /// Its account, by the owner's first name.
    pub key: AccountKey,
    /// The account afterwards.
    pub account: Account,
    /// New entries.
    pub entries: Vec<Entry>,
    /// The order's draws afterwards.
    pub draws: Option<(Key, Vec<Draw>)>,
    /// The entry that is the posting's own; 0 where it moved nothing.
    pub main_seq: i64,
    pub receipt: Receipt,
}

/// The book as it would be after some drafts.
pub(super) struct View<'v, 'a> {
    book: &'v Book,
    drafts: &'v [Draft<'a>],
}

impl<'v, 'a> View<'v, 'a> {
    pub fn new(book: &'v Book, drafts: &'v [Draft<'a>]) -> Self {
        View { book, drafts }
    }

    /// Tries a posting.
    ///
    /// # Errors
    /// Where the rules do not allow it.
    pub fn draft(&self, posting: &'a Posting, now: i64) -> Result<Draft<'a>, Rejection> {
        let mut key = posting.account.clone();
        if let Some(owner) = self.book.aliases.get(&key.owner) {
            key.owner.clone_from(owner);
        }
        let mut page = Page {
            posting,
            now,
            account: self.account(&key),
            key,
            entries: Vec::new(),
            draws: None,
            main_seq: 0,
        };
        if let Some(once) = posting.idempotency
            && let Some(used) = self.used(&once.key)
        {
            return match used.content == once.fingerprint {
                true => Ok(page.close(Some(used.balance))),
                false => Err(Rejection::IdempotencyConflict),
            };
        }
        if posting
            .requires
            .is_some_and(|key| self.used(&key).is_none())
        {
            return Err(Rejection::RequirementMissing);
        }
        page.lapse(now)?;
        match posting.kind {
            PostingKind::Earn { amount, expires_at } => page.earn(amount, expires_at)?,
            PostingKind::Spend { amount, order } => {
                let draws = order.map(|order| (order, self.draws(&order)));
                page.spend(amount, draws)?;
            }
            PostingKind::SpendUpTo { amount } => {
                in_range(amount)?;
                match amount.min(page.account.balance) {
                    0 => {}
                    amount => page.spend(amount, None)?,
                }
            }
            PostingKind::Return { amount, order } => {
                page.give_back(amount, order, self.draws(&order))?;
            }
            PostingKind::Lapse { due_by } => page.lapse(due_by.max(now))?,
        }
        // What came into a lot that is due already lapses in the same unit.
        page.lapse(now)?;
        Ok(page.close(None))
    }

    fn account(&self, key: &AccountKey) -> Account {
        let drafted = self.drafts.iter().rev().find(|draft| draft.key == *key);
        let account = match drafted {
            Some(draft) => Some(&draft.account),
            None => self.book.accounts.get(key),
        };
        account.cloned().unwrap_or_default()
    }

    fn draws(&self, order: &Key) -> Vec<Draw> {
        let mut drafted = self
            .drafts
            .iter()
            .rev()
            .filter_map(|draft| draft.draws.as_ref());
        match drafted.find(|(drawn, _)| drawn == order) {
            Some((_, draws)) => draws.clone(),
            None => self.book.draws(order).to_vec(),
        }
    }

    fn used(&self, key: &Key) -> Option<Used> {
        let same = |draft: &&Draft<'a>| {
            draft
                .posting
                .idempotency
                .is_some_and(|once| once.key == *key)
        };
        match self.drafts.iter().find(same) {
            Some(draft) => draft.posting.idempotency.map(|once| Used {
                content: once.fingerprint,
                balance: draft.receipt.balance,
            }),
            None => self.book.used.get(key).copied(),
        }
    }
}

/// The scratch copy on which one posting is tried.
struct Page<'a> {
    posting: &'a Posting,
    now: i64,
    key: AccountKey,
    account: Account,
    entries: Vec<Entry>,
    draws: Option<(Key, Vec<Draw>)>,
    main_seq: i64,
}

/// The type under which lapsed points stand in the history: the document's 16, 积分过期.
const LAPSED: Reason = Reason(16);

impl<'a> Page<'a> {
    /// What is to be kept; `repeated` is what was answered before, where this is a retry.
    fn close(mut self, repeated: Option<i64>) -> Draft<'a> {
        for guard in self
            .entries
            .iter_mut()
            .filter_map(|entry| entry.guard.as_mut())
        {
            // What lapsed after it counts too.
            guard.answered = self.account.balance;
        }
        let receipt = Receipt {
            balance: repeated.unwrap_or(self.account.balance),
            repeated: repeated.is_some(),
        };
        Draft {
            posting: self.posting,
            key: self.key,
            account: self.account,
            entries: self.entries,
            draws: self.draws,
            main_seq: self.main_seq,
            receipt,
        }
    }

    fn lapse(&mut self, due_by: i64) -> Result<(), Rejection> {
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

    fn earn(&mut self, amount: i64, expires_at: i64) -> Result<(), Rejection> {
        in_range(amount)?;
        self.put_into_lot(expires_at, amount)?;
        self.enter(self.now, amount, Counter::Issued, Some(self.posting))
    }

    fn spend(&mut self, amount: i64, mut draws: Option<(Key, Vec<Draw>)>) -> Result<(), Rejection> {
        in_range(amount)?;
        if self.account.balance < amount {
            return Err(Rejection::Insufficient);
        }
        let spend_seq = self.account.last_seq + 1;
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
            return Err(Rejection::Insufficient);
        }
        self.account.lots.retain(|lot| lot.remaining > 0);
        self.draws = draws;
        self.enter(self.now, -amount, Counter::Redeemed, Some(self.posting))
    }

    fn give_back(
        &mut self,
        amount: i64,
        order: Key,
        mut draws: Vec<Draw>,
    ) -> Result<(), Rejection> {
        in_range(amount)?;
        if draws.is_empty() {
            return Err(Rejection::NothingSpent);
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
            return Err(Rejection::ReturnExceeds);
        }
        self.draws = Some((order, draws));
        self.enter(self.now, amount, Counter::Redeemed, Some(self.posting))
    }

    fn put_into_lot(&mut self, expires_at: i64, amount: i64) -> Result<(), Rejection> {
        let lots = &mut self.account.lots;
        match lots.binary_search_by_key(&expires_at, |lot| lot.expires_at) {
            Ok(i) => {
                lots[i].remaining = lots[i]
                    .remaining
                    .checked_add(amount)
                    .ok_or(Rejection::OutOfRange)?;
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
    ) -> Result<(), Rejection> {
        let account = &mut self.account;
        account.balance = account
            .balance
            .checked_add(amount)
            .ok_or(Rejection::OutOfRange)?;
        account.last_seq += 1;
        account.income_seq += i64::from(amount > 0);
        account.last_at = account.last_at.max(at);
        let mut entry = Entry {
            account: self.key.clone(),
            seq: account.last_seq,
            at: account.last_at,
            reason: by.map_or(LAPSED, |posting| posting.reason),
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
            guard: by
                .and_then(|posting| posting.idempotency)
                .map(|idempotency| Guard {
                    idempotency,
                    answered: account.balance,
                }),
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

fn in_range(amount: i64) -> Result<(), Rejection> {
    if (1..=MOST).contains(&amount) {
        Ok(())
    } else {
        Err(Rejection::OutOfRange)
    }
}
