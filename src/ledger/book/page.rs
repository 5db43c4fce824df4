//! The scratch copy of an account on which one posting is tried.

use super::{Account, Book, Draw, Lot};
use crate::ledger::entry::{Counter, Entry, Hash};
use crate::ledger::key::Key;
use crate::ledger::posting::{MOST, Posting, Refusal};

/// The scratch copy on which one posting is tried.
pub(super) struct Page<'a> {
    book: &'a Book,
    posting: &'a Posting,
    now: i64,
    pub(super) account: Account,
    pub(super) entries: Vec<Entry>,
    pub(super) draws: Option<(Key, Vec<Draw>)>,
    pub(super) main_seq: i64,
}

/// The type under which lapsed points stand in the history: the document's 16, 积分过期.
const LAPSED: i64 = 16;

impl<'a> Page<'a> {
    pub(super) fn open(book: &'a Book, posting: &'a Posting, now: i64) -> Self {
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

    pub(super) fn lapse(&mut self, due_by: i64) -> Result<(), Refusal> {
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

    pub(super) fn earn(&mut self, amount: i64, expires_at: i64) -> Result<(), Refusal> {
        in_range(amount)?;
        self.put_into_lot(expires_at, amount)?;
        self.enter(self.now, amount, Counter::Issued, Some(self.posting))
    }

    pub(super) fn spend(&mut self, amount: i64, order: Option<Key>) -> Result<(), Refusal> {
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

    pub(super) fn give_back(&mut self, amount: i64, order: Key) -> Result<(), Refusal> {
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
