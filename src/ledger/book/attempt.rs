//! An attempt at one posting, on a copy of its account.

use super::Book;
use crate::ledger::book::account::{Account, Allocation, Lot};
use crate::ledger::book::entry::{Contra, Entry, Hash};
use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{
    AccountKey, Gain, Idempotency, MOST, Posting, PostingKind, Reason, Receipt, Rejection,
};

/// A posting that the rules allow, and what it changes.
pub(super) struct Draft<'a> {
    pub posting: &'a Posting,
    /// The posting's account, under the name that its entries stand under.
    pub key: AccountKey,
    /// The account afterwards.
    pub account: Account,
    /// New entries.
    pub entries: Vec<Entry>,
    /// The order's allocations afterwards, if the posting changed them.
    pub allocations: Option<(Key, Vec<Allocation>)>,
    pub receipt: Receipt,
}

/// The book as it is after the transaction's earlier drafts.
pub(super) struct View<'v, 'a> {
    book: &'v Book,
    drafts: &'v [Draft<'a>],
}

impl<'v, 'a> View<'v, 'a> {
    pub fn new(book: &'v Book, drafts: &'v [Draft<'a>]) -> Self {
        View { book, drafts }
    }

    /// Attempts a posting.
    ///
    /// # Errors
    /// Returns the [`Rejection`] if a rule forbids the posting.
    pub fn draft(&self, posting: &'a Posting, now: i64) -> Result<Draft<'a>, Rejection> {
        let mut attempt = self.attempt(posting, now);
        let (idempotency, repeated) = self.identify(posting)?;
        if let Some(record) = repeated {
            return match self.was_returned(posting) {
                true => Err(Rejection::IdempotencyConflict),
                false => Ok(attempt.finish(Some(record.balance))),
            };
        }
        self.check_freeze(&attempt.key.owner, posting.kind)?;
        attempt.idempotency = idempotency;
        let gain = posting.requires;
        let left = gain.map(|gain| self.left_of(gain, posting)).transpose()?;
        attempt.expire(now)?;
        match posting.kind {
            PostingKind::Earn { amount, expires_at } => attempt.earn(amount, expires_at)?,
            PostingKind::Spend { amount, order } => {
                let amount = left.map_or(amount, |left| left.min(amount));
                let is_further = |gain: &Gain| idempotency.is_some_and(|it| it.key == gain.further);
                let order = gain.filter(is_further).map(|gain| gain.key).or(order);
                let allocations = order.map(|order| (order, self.allocations(&order)));
                attempt.spend(amount, allocations)?;
            }
            PostingKind::SpendUpTo { amount } => attempt.spend_up_to(amount)?,
            PostingKind::Return { amount, order } => {
                attempt.give_back(amount, order, self.allocations(&order))?;
            }
            PostingKind::Expire { due_by } => attempt.expire(due_by.max(now))?,
        }
        // Points that came into a lot that is due expire in the same transaction.
        attempt.expire(now)?;
        Ok(attempt.finish(None))
    }

    fn check_freeze(&self, owner: &str, kind: PostingKind) -> Result<(), Rejection> {
        match self.book.frozen.get(owner) {
            Some(scope) if scope.forbids(kind) => Err(Rejection::Frozen),
            _ => Ok(()),
        }
    }

    /// Answers a posting that was applied before.
    ///
    /// # Errors
    /// Returns [`Rejection::IdempotencyConflict`] if its idempotency key was used with another fingerprint.
    pub fn repeat(&self, posting: &'a Posting, now: i64) -> Result<Receipt, Rejection> {
        let attempt = self.attempt(posting, now);
        let (_, record) = self.identify(posting)?;
        let due = |lot: &&Lot| lot.expires_at <= now;
        let due: i64 = attempt
            .account
            .lots
            .iter()
            .filter(due)
            .map(|lot| lot.remaining)
            .sum();
        let balance = record.map_or(attempt.account.balance - due, |record| record.balance);
        Ok(attempt.finish(Some(balance)).receipt)
    }

    /// An attempt that has changed nothing yet.
    fn attempt(&self, posting: &'a Posting, now: i64) -> Attempt<'a> {
        let key = AccountKey {
            owner: self.book.owner_of(&posting.account.owner).to_owned(),
            asset: posting.account.asset.clone(),
        };
        Attempt {
            posting,
            now,
            expiry_reason: self.book.expiry_reason,
            account: self.account(&key),
            key,
            idempotency: None,
            entries: Vec::new(),
            allocations: None,
            moved: false,
        }
    }

    fn account(&self, key: &AccountKey) -> Account {
        let drafted = self.drafts.iter().rev().find(|draft| draft.key == *key);
        let account = match drafted {
            Some(draft) => Some(&draft.account),
            None => self.book.accounts.get(key),
        };
        account.cloned().unwrap_or_default()
    }

    fn allocations(&self, order: &Key) -> Vec<Allocation> {
        let drafts = self.drafts.iter().rev();
        let mut drafted = drafts.filter_map(|draft| draft.allocations.as_ref());
        match drafted.find(|(of, _)| of == order) {
            Some((_, allocations)) => allocations.clone(),
            None => self.book.allocations(order).to_vec(),
        }
    }

    /// The idempotency under which a posting is new, or the record of the first posting, if it is a retry.
    fn identify(
        &self,
        posting: &Posting,
    ) -> Result<(Option<Idempotency>, Option<IdempotencyRecord>), Rejection> {
        let Some(first) = posting.idempotency else {
            return Ok((None, None));
        };
        let further = posting.requires.map(|gain| Idempotency {
            key: gain.further,
            ..first
        });
        for idempotency in [Some(first), further].into_iter().flatten() {
            match self.idempotency(&idempotency.key) {
                None => return Ok((Some(idempotency), None)),
                Some(record) if record.fingerprint == idempotency.fingerprint => {
                    return Ok((None, Some(record)));
                }
                Some(_) => {}
            }
        }
        Err(Rejection::IdempotencyConflict)
    }

    /// The points of a gain that no spend has taken back, at least one.
    fn left_of(&self, gain: Gain, posting: &Posting) -> Result<i64, Rejection> {
        let amount = |key: Key| self.idempotency(&key).map_or(0, |record| record.amount);
        let first = posting.idempotency.map_or(0, |it| amount(it.key));
        let further = self.allocations(&gain.key);
        let further: i64 = further.iter().map(|it| it.drawn - it.returned).sum();
        match amount(gain.key) + first.min(0) - further {
            left @ 1.. => Ok(left),
            _ => Err(Rejection::RequirementMissing),
        }
    }

    /// Whether points have come back that a posting spent on its order: a retry of it would pay for nothing.
    fn was_returned(&self, posting: &Posting) -> bool {
        let PostingKind::Spend { order, .. } = posting.kind else {
            return false;
        };
        let allocations = order.map(|order| self.allocations(&order));
        let mut allocations = allocations.into_iter().flatten();
        allocations.any(|allocation| allocation.returned > 0)
    }

    fn idempotency(&self, key: &Key) -> Option<IdempotencyRecord> {
        let mut drafted = self.drafts.iter().filter_map(Draft::idempotency);
        let drafted = drafted.find(|record| record.key == *key);
        drafted.or_else(|| self.book.idempotency.get(key).copied())
    }
}

impl Draft<'_> {
    /// What a retry within the same transaction finds.
    fn idempotency(&self) -> Option<IdempotencyRecord> {
        self.entries.iter().find_map(|entry| entry.idempotency)
    }
}

/// A posting in progress.
struct Attempt<'a> {
    posting: &'a Posting,
    now: i64,
    expiry_reason: Reason,
    key: AccountKey,
    account: Account,
    /// What makes its entry recognisable.
    idempotency: Option<Idempotency>,
    entries: Vec<Entry>,
    allocations: Option<(Key, Vec<Allocation>)>,
    /// Whether the posting has an entry of its own.
    moved: bool,
}

impl<'a> Attempt<'a> {
    /// Ends the attempt. `repeated` is the balance that the first posting was answered, if this one is a retry.
    fn finish(mut self, repeated: Option<i64>) -> Draft<'a> {
        for entry in &mut self.entries {
            if let Some(record) = &mut entry.idempotency {
                // The answer includes what expired after the entry.
                record.balance = self.account.balance;
            }
        }
        let receipt = Receipt {
            balance: repeated.unwrap_or(self.account.balance),
            repeated: repeated.is_some(),
            moved: self.moved,
        };
        Draft {
            posting: self.posting,
            key: self.key,
            account: self.account,
            entries: self.entries,
            allocations: self.allocations,
            receipt,
        }
    }

    fn expire(&mut self, due_by: i64) -> Result<(), Rejection> {
        while let Some(lot) = self.account.lots.first().copied()
            && lot.expires_at <= due_by
        {
            self.account.lots.remove(0);
            // The history shows the last second in which the points counted.
            let at = lot.expires_at.saturating_sub(1000).min(self.now);
            self.enter(at, -lot.remaining, Contra::Expired, None)?;
        }
        Ok(())
    }

    fn earn(&mut self, amount: i64, expires_at: i64) -> Result<(), Rejection> {
        check_range(amount)?;
        self.add_to_lot(expires_at, amount)?;
        self.enter(self.now, amount, Contra::Issued, Some(self.posting))
    }

    fn spend(
        &mut self,
        amount: i64,
        mut allocations: Option<(Key, Vec<Allocation>)>,
    ) -> Result<(), Rejection> {
        check_range(amount)?;
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
            if let Some((_, allocations)) = &mut allocations {
                allocations.push(Allocation {
                    spend_seq,
                    expires_at: lot.expires_at,
                    drawn,
                    returned: 0,
                });
            }
        }
        if left > 0 {
            // The lots of a damaged ledger may hold less than its balance. Reject the spend: it would create points.
            return Err(Rejection::Insufficient);
        }
        self.account.lots.retain(|lot| lot.remaining > 0);
        self.allocations = allocations;
        self.enter(self.now, -amount, Contra::Redeemed, Some(self.posting))
    }

    fn spend_up_to(&mut self, amount: i64) -> Result<(), Rejection> {
        check_range(amount)?;
        match amount.min(self.account.balance) {
            0 => Ok(()),
            amount => self.spend(amount, None),
        }
    }

    fn give_back(
        &mut self,
        amount: i64,
        order: Key,
        mut allocations: Vec<Allocation>,
    ) -> Result<(), Rejection> {
        check_range(amount)?;
        if allocations.is_empty() {
            return Err(Rejection::NothingSpent);
        }
        let mut left = amount;
        for allocation in allocations.iter_mut().rev() {
            let back = left.min(allocation.drawn - allocation.returned);
            if back == 0 {
                continue;
            }
            allocation.returned += back;
            left -= back;
            self.add_to_lot(allocation.expires_at, back)?;
        }
        if left > 0 {
            return Err(Rejection::ReturnExceeds);
        }
        self.allocations = Some((order, allocations));
        self.enter(self.now, amount, Contra::Redeemed, Some(self.posting))
    }

    fn add_to_lot(&mut self, expires_at: i64, amount: i64) -> Result<(), Rejection> {
        let lots = &mut self.account.lots;
        match lots.binary_search_by_key(&expires_at, |lot| lot.expires_at) {
            Ok(at) => {
                let sum = lots[at].remaining.checked_add(amount);
                lots[at].remaining = sum.ok_or(Rejection::OutOfRange)?;
            }
            Err(at) => lots.insert(
                at,
                Lot {
                    expires_at,
                    remaining: amount,
                },
            ),
        }
        Ok(())
    }

    /// Adds an entry: the posting's own, or without a posting one that expires points.
    fn enter(
        &mut self,
        at: i64,
        amount: i64,
        contra: Contra,
        posting: Option<&Posting>,
    ) -> Result<(), Rejection> {
        let account = &mut self.account;
        let balance = account.balance.checked_add(amount);
        account.balance = balance.ok_or(Rejection::OutOfRange)?;
        account.last_seq += 1;
        account.income_seq += i64::from(amount > 0);
        account.last_at = account.last_at.max(at);
        let idempotency = posting.and(self.idempotency);
        let mut entry = Entry {
            account: self.key.clone(),
            seq: account.last_seq,
            at: account.last_at,
            reason: posting.map_or(self.expiry_reason, |posting| posting.reason),
            amount,
            balance_after: account.balance,
            contra,
            direction_seq: match amount > 0 {
                true => account.income_seq,
                false => account.last_seq - account.income_seq,
            },
            reference: posting.and_then(|posting| posting.reference.clone()),
            message: posting.and_then(|posting| posting.message.clone()),
            operator: posting.and_then(|posting| posting.operator),
            idempotency: idempotency.map(|it| IdempotencyRecord {
                key: it.key,
                fingerprint: it.fingerprint,
                balance: account.balance,
                amount,
            }),
            hash: Hash::default(),
        };
        entry.hash = entry.hash_after(&account.head);
        account.head = entry.hash;
        self.moved |= posting.is_some();
        self.entries.push(entry);
        Ok(())
    }
}

fn check_range(amount: i64) -> Result<(), Rejection> {
    match (1..=MOST).contains(&amount) {
        true => Ok(()),
        false => Err(Rejection::OutOfRange),
    }
}
