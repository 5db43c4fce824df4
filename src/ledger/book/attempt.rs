//! An attempt at one posting, on a copy of its account.

mod corrections;
mod entering;

use std::sync::Arc;

use super::Book;
use crate::ledger::book::account::{Account, Allocation, Lot};
use crate::ledger::book::entry::{Contra, Entry};
use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::key::Key;
use crate::ledger::book::lots::LotChange;
use crate::ledger::book::order;
use crate::ledger::book::origins::StoredOrigin;
use crate::ledger::book::transaction::{
    AccountKey, Gain, Idempotency, MOST, Posting, PostingKind, Reason, Receipt, Rejection,
};

pub(super) use corrections::Debt;
use entering::Cause;

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
    /// The account that holds what the posting's account owes, if the posting changed it.
    pub debt: Option<Box<Debt<Draft<'a>>>>,
}

/// Who asks for a posting, in which request, and when.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub origin: StoredOrigin,
    pub request_id: Option<&'a Arc<str>>,
    /// The time (ms).
    pub now: i64,
}

/// The book as it is after the transaction's earlier drafts.
pub(super) struct View<'v, 'a> {
    book: &'v Book,
    drafts: &'v [Draft<'a>],
    asked: Asked<'a>,
}

impl<'v, 'a> View<'v, 'a> {
    pub fn new(book: &'v Book, drafts: &'v [Draft<'a>], asked: Asked<'a>) -> Self {
        View {
            book,
            drafts,
            asked,
        }
    }

    /// Attempts a posting.
    ///
    /// # Errors
    /// Returns the [`Rejection`] if a rule forbids the posting.
    pub fn draft(&self, posting: &'a Posting) -> Result<Draft<'a>, Rejection> {
        let now = self.asked.now;
        let mut attempt = self.attempt(posting);
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
            PostingKind::Correct(correction) => self.correct(&mut attempt, correction)?,
        }
        // Points that came into a lot that is due expire in the same transaction.
        attempt.expire(now)?;
        self.pay_off(&mut attempt)?;
        Ok(attempt.finish(None))
    }

    fn check_freeze(&self, owner: &str, kind: PostingKind) -> Result<(), Rejection> {
        match self.book.frozen.get(owner) {
            Some(scope) if kind.is_forbidden_by(*scope) => Err(Rejection::Frozen),
            _ => Ok(()),
        }
    }

    /// Answers a posting that was applied before.
    ///
    /// # Errors
    /// Returns [`Rejection::IdempotencyConflict`] if its idempotency key was used with another fingerprint.
    pub fn repeat(&self, posting: &'a Posting) -> Result<Receipt, Rejection> {
        let attempt = self.attempt(posting);
        let (_, record) = self.identify(posting)?;
        let due = |lot: &&Lot| lot.expires_at <= self.asked.now;
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
    fn attempt(&self, posting: &'a Posting) -> Attempt<'a> {
        let key = AccountKey {
            owner: self.book.owner_of(&posting.account).to_owned(),
            asset: posting.account.asset.clone(),
        };
        let account = self.account(&key);
        self.attempt_at(posting, key, account)
    }

    fn attempt_at(&self, posting: &'a Posting, key: AccountKey, account: Account) -> Attempt<'a> {
        Attempt {
            posting,
            asked: self.asked,
            expiry_reason: self.book.expiry_reason,
            account,
            key,
            idempotency: None,
            entries: Vec::new(),
            allocations: None,
            moved: false,
            debt: None,
            answered: None,
        }
    }

    fn account(&self, key: &AccountKey) -> Account {
        let drafts = self.drafts.iter().rev();
        let mut drafted = drafts.flat_map(|draft| {
            let debt = draft.debt.as_ref().map(|debt| &debt.account);
            debt.into_iter().chain([draft])
        });
        let account = match drafted.find(|draft| draft.key == *key) {
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
        let debt = self.debt.iter().flat_map(|debt| &debt.account.entries);
        let mut entries = self.entries.iter().chain(debt);
        entries.find_map(|entry| entry.idempotency)
    }
}

/// A posting in progress.
struct Attempt<'a> {
    posting: &'a Posting,
    asked: Asked<'a>,
    expiry_reason: Reason,
    key: AccountKey,
    account: Account,
    /// What makes its entry recognisable.
    idempotency: Option<Idempotency>,
    entries: Vec<Entry>,
    allocations: Option<(Key, Vec<Allocation>)>,
    /// Whether the posting has an entry of its own.
    moved: bool,
    /// What the account owes, if the posting changes it.
    debt: Option<Box<Debt<Attempt<'a>>>>,
    /// The balance that is answered, unless it is the account's own.
    answered: Option<i64>,
}

impl<'a> Attempt<'a> {
    /// Ends the attempt. `repeated` is the balance that the first posting was answered, if this one is a retry.
    fn finish(mut self, repeated: Option<i64>) -> Draft<'a> {
        for entry in &mut self.entries {
            if let Some(record) = &mut entry.idempotency {
                // The answer includes what expired after the entry.
                record.balance = self.answered.unwrap_or(self.account.balance);
            }
            entry.hash = entry.hash_after(&self.account.head);
            self.account.head = entry.hash;
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
            debt: self.debt.map(|debt| {
                let Debt { mut account, cause } = *debt;
                account.answered = Some(receipt.balance);
                let account = account.finish(None);
                Box::new(Debt { account, cause })
            }),
            receipt,
        }
    }

    fn expire(&mut self, due_by: i64) -> Result<(), Rejection> {
        while let Some(change) = self.account.next_due(due_by) {
            let at = expired_at(change.expires_at, self.asked.now);
            self.enter(at, vec![change], Contra::Expired, self.of_expiry())?;
        }
        Ok(())
    }

    fn earn(&mut self, amount: i64, expires_at: i64) -> Result<(), Rejection> {
        check_range(amount)?;
        let points = amount;
        let lots = vec![LotChange { expires_at, points }];
        self.enter(self.asked.now, lots, Contra::Issued, self.own())
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
        // The lots of a damaged ledger may hold less than its balance. Reject the spend: it would create points.
        let lots = self.account.consume(amount);
        let lots = lots.ok_or(Rejection::Insufficient)?;
        if let Some((_, allocations)) = &mut allocations {
            order::spend(allocations, self.account.last_seq + 1, &lots);
        }
        self.allocations = allocations;
        self.enter(self.asked.now, lots, Contra::Redeemed, self.own())
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
        let lots = order::give_back(&mut allocations, amount);
        let lots = lots.ok_or(Rejection::ReturnExceeds)?;
        self.allocations = Some((order, allocations));
        self.enter(self.asked.now, lots, Contra::Redeemed, self.own())
    }
}

/// The time (ms) of an entry that expires points: the last second in which they counted, or now if that is earlier.
pub(super) fn expired_at(expires_at: i64, now: i64) -> i64 {
    expires_at.saturating_sub(1000).min(now)
}

fn check_range(amount: i64) -> Result<(), Rejection> {
    match (1..=MOST).contains(&amount) {
        true => Ok(()),
        false => Err(Rejection::OutOfRange),
    }
}
