//! The ledger's rules as a state machine without I/O.
//!
//! The writer puts every row into a [`Book`] that a batch of transactions touches. [`Book::apply`] applies one transaction
//! entirely or not at all, and [`Book::into_changes`] gives the rows to save. Points are whole numbers, times are
//! milliseconds since 1970 UTC.

pub mod account;
mod attempt;
pub mod changes;
pub mod correction;
mod credit;
pub mod debt;
pub mod entry;
pub mod freeze;
pub mod hash;
pub mod idempotency;
pub mod journal;
pub mod kept;
pub mod key;
mod loading;
pub mod lots;
pub mod names;
pub mod openings;
pub mod order;
pub mod origins;
#[cfg(test)]
mod properties;
pub mod replay;
pub mod tally;
#[cfg(test)]
pub(super) mod tests;
pub mod transaction;

use std::collections::HashMap;

use crate::ledger::book::account::{Account, Allocation, Lot, remaining_in};
use crate::ledger::book::changes::{Changes, LimitKey, RecordedAction, UsedAllowance};
use crate::ledger::book::debt::{CorrectedEntry, DebtCause};
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::key::Key;
use crate::ledger::book::origins::StoredOrigin;
use crate::ledger::book::transaction::{
    AccountKey, Action, ActionReceipt, Applied, Nonce, Posting, Reason, Receipt, Rejection,
    Transaction,
};
use crate::origin::Origin;
use attempt::{Asked, Debt, Draft, View};
use credit::earned;

/// The part of the ledger that a batch touches.
#[derive(Debug)]
pub struct Book {
    /// The reason of every entry that expires points.
    expiry_reason: Reason,
    origins: HashMap<Origin, StoredOrigin>,
    accounts: HashMap<AccountKey, Account>,
    /// The lots of accounts as they were loaded.
    loaded_lots: HashMap<AccountKey, Vec<Lot>>,
    idempotency: HashMap<Key, IdempotencyRecord>,
    allocations: HashMap<Key, Vec<Allocation>>,
    /// Spent nonces by time and key, with the fingerprint of the request that spent each.
    spent_nonces: HashMap<(i64, Key), Option<Key>>,
    /// The owners of accounts that stand under another name than callers use.
    identities: HashMap<AccountKey, String>,
    /// The owners whose accounts are frozen.
    frozen: HashMap<String, FreezeScope>,
    /// The identities of recorded actions, and whether they scored, by the keys of their rows.
    recorded_actions: HashMap<Key, (Key, bool)>,
    limit_counts: HashMap<LimitKey, i64>,
    /// Allowances by their ends and keys.
    allowances: HashMap<(i64, Key), UsedAllowance>,
    /// The numbers of recorded events of payments, by subject.
    payment_counts: HashMap<String, i64>,
    /// Entries that corrections correct.
    corrected: HashMap<(AccountKey, i64), CorrectedEntry>,
    /// The causes of debts, by the accounts that hold them.
    debts: HashMap<AccountKey, DebtCause>,
    changes: Changes,
}

impl Book {
    /// An empty book, which expires points for this reason.
    pub fn new(expiry_reason: Reason) -> Book {
        Book {
            expiry_reason,
            origins: HashMap::new(),
            accounts: HashMap::new(),
            loaded_lots: HashMap::new(),
            idempotency: HashMap::new(),
            allocations: HashMap::new(),
            spent_nonces: HashMap::new(),
            identities: HashMap::new(),
            frozen: HashMap::new(),
            recorded_actions: HashMap::new(),
            limit_counts: HashMap::new(),
            allowances: HashMap::new(),
            payment_counts: HashMap::new(),
            corrected: HashMap::new(),
            debts: HashMap::new(),
            changes: Changes::default(),
        }
    }

    /// An account as it is now.
    pub fn account(&self, key: &AccountKey) -> Option<&Account> {
        self.accounts.get(key)
    }

    /// The allocations of an order as they are now.
    pub fn allocations(&self, order: &Key) -> &[Allocation] {
        self.allocations.get(order).map_or(&[], Vec::as_slice)
    }

    /// Applies a transaction at the time `now` (ms), entirely or not at all.
    ///
    /// # Errors
    /// Returns the [`Rejection`] if a rule forbids the transaction; the book is then unchanged.
    pub fn apply(&mut self, transaction: &Transaction, now: i64) -> Result<Applied, Rejection> {
        let (nonce, action) = (transaction.nonce, transaction.action.as_ref());
        let spent = |nonce: Nonce| {
            let spent = self.spent_nonces.get(&(nonce.at, nonce.key)).copied()?;
            Some(nonce.may_repeat(spent))
        };
        match nonce.and_then(spent) {
            Some(false) => return Err(Rejection::NonceSpent),
            Some(true) if action.is_none() => return self.repeat(transaction, now),
            // An action is recorded under its nonce, and is found below.
            Some(true) | None => {}
        }
        let payment = transaction.payment.as_deref();
        if payment
            .is_some_and(|payment| self.payment_count(&payment.subject) != payment.subject_seq)
        {
            return Err(Rejection::PaymentChanged);
        }
        if let Some(action) = action
            && let Some(scored) = self.recorded(action)
        {
            self.spend(nonce);
            let repeated = true;
            return Ok(Applied {
                receipts: Vec::new(),
                action: Some(ActionReceipt { repeated, scored }),
            });
        }
        if let Some(record) = self.earlier(transaction) {
            self.spend(nonce);
            let receipt = Receipt::of_retry(record);
            return Ok(Applied {
                receipts: vec![receipt],
                action: None,
            });
        }
        let postings = match action.is_none_or(|action| self.is_within_limit(action)) {
            true => transaction.postings.as_slice(),
            false => &[],
        };
        let asked = self.asked(transaction, now);
        let mut drafts = match self.draft(postings, asked) {
            // An action that a freeze keeps from scoring is recorded all the same.
            Err(Rejection::Frozen) if action.is_some() => Vec::new(),
            drafts => drafts?,
        };
        let points = earned(&drafts);
        let limit = transaction.credit_limit;
        if limit.is_some_and(|limit| !self.use_limit(limit, points)) {
            if action.is_none() {
                return Err(Rejection::CreditLimit);
            }
            drafts.clear();
        }
        let applied = Applied {
            receipts: drafts.iter().map(|draft| draft.receipt).collect(),
            action: action.map(|action| self.record(action, !drafts.is_empty(), now)),
        };
        let record = transaction.pending_record.as_deref();
        let moved = drafts.iter().any(|draft| draft.receipt.moved);
        self.changes
            .pending_records
            .extend(record.filter(|_| moved).cloned());
        for draft in drafts {
            self.keep(draft);
        }
        self.spend(nonce);
        if let Some(payment) = payment {
            self.put_payment_count(payment.subject.clone(), payment.subject_seq + 1);
            self.changes.payments.push(payment.clone());
        }
        Ok(applied)
    }

    /// Attempts postings, each as if those before it had been applied.
    fn draft<'p>(
        &self,
        postings: &'p [Posting],
        asked: Asked<'p>,
    ) -> Result<Vec<Draft<'p>>, Rejection> {
        let mut drafts = Vec::with_capacity(postings.len());
        for posting in postings {
            let draft = View::new(self, &drafts, asked).draft(posting)?;
            drafts.push(draft);
        }
        Ok(drafts)
    }

    /// The record of an earlier attempt at a transaction, under one of its further keys.
    fn earlier(&self, transaction: &Transaction) -> Option<IdempotencyRecord> {
        let fingerprint = transaction.postings.first()?.idempotency?.fingerprint;
        let keys = transaction.earlier_keys.iter();
        let mut records = keys.filter_map(|key| self.idempotency.get(key));
        records.find(|it| it.fingerprint == fingerprint).copied()
    }

    /// Spends a nonce, unless a request with the same fingerprint did.
    fn spend(&mut self, nonce: Option<Nonce>) {
        let new = nonce.filter(|it| !self.spent_nonces.contains_key(&(it.at, it.key)));
        if let Some(nonce) = new {
            self.put_spent_nonce(nonce);
            self.changes.nonces.push(nonce);
        }
    }

    /// Applies a posting of the program itself at the time `now` (ms), entirely or not at all.
    ///
    /// # Errors
    /// Returns the [`Rejection`] if a rule forbids the posting; the book is then unchanged.
    pub fn post(&mut self, posting: &Posting, now: i64) -> Result<Receipt, Rejection> {
        let asked = Asked {
            origin: StoredOrigin::default(),
            request_id: None,
            now,
        };
        let draft = View::new(self, &[], asked).draft(posting)?;
        let receipt = draft.receipt;
        self.keep(draft);
        Ok(receipt)
    }

    /// What the entries of a transaction say of it.
    fn asked<'t>(&self, transaction: &'t Transaction, now: i64) -> Asked<'t> {
        let origin = self.origins.get(&transaction.origin);
        Asked {
            origin: origin.copied().unwrap_or_default(),
            request_id: transaction.request_id.as_ref(),
            now,
        }
    }

    fn payment_count(&self, subject: &str) -> i64 {
        self.payment_counts
            .get(subject)
            .copied()
            .unwrap_or_default()
    }

    fn is_within_limit(&self, action: &Action) -> bool {
        LimitKey::of(action).is_none_or(|(key, most)| {
            self.limit_counts.get(&key).copied().unwrap_or_default() < most
        })
    }

    /// Answers a transaction that spent its nonce before, and was applied then. A posting that is recorded under another key, for
    /// example under the one of another day, is answered with the balance of now.
    fn repeat(&self, transaction: &Transaction, now: i64) -> Result<Applied, Rejection> {
        let view = View::new(self, &[], self.asked(transaction, now));
        let postings = transaction.postings.iter();
        let receipts = postings.map(|posting| view.repeat(posting));
        Ok(Applied {
            receipts: receipts.collect::<Result<_, _>>()?,
            action: None,
        })
    }

    /// Whether an action scored; `None` if it is new.
    fn recorded(&self, action: &Action) -> Option<bool> {
        let identity = action.identity();
        let rows = [action.key, identity].into_iter();
        let mut rows = rows.filter_map(|key| self.recorded_actions.get(&key));
        let row = rows.find(|(recorded, _)| *recorded == identity);
        row.map(|(_, scored)| *scored)
    }

    /// Records a new action; one that scores counts towards its limit.
    fn record(&mut self, action: &Action, scored: bool, now: i64) -> ActionReceipt {
        let identity = action.identity();
        let key = match self.recorded_actions.contains_key(&action.key) {
            true => identity,
            false => action.key,
        };
        self.put_recorded_action(key, identity, scored);
        self.changes.actions.push(RecordedAction {
            key,
            action: action.clone(),
            at: now,
            scored,
        });
        if scored && let Some((key, _)) = LimitKey::of(action) {
            let count = self.limit_counts.entry(key.clone()).or_default();
            *count += 1;
            // Outside its window, no later count of the limit finds the action.
            if (key.from..key.until).contains(&now) {
                self.changes.limit_slots.push(key.slot(*count));
            }
        }
        let repeated = false;
        ActionReceipt { repeated, scored }
    }

    /// Takes over what a draft changed.
    fn keep(&mut self, draft: Draft<'_>) {
        if let Some(debt) = draft.debt {
            let Debt { account, cause } = *debt;
            match account.account.balance {
                0 => self.debts.remove(&account.key),
                _ => self.debts.insert(account.key.clone(), cause),
            };
            self.keep(account);
        }
        if draft.entries.is_empty() {
            return;
        }
        let changes = &mut self.changes;
        let key = draft.key;
        for entry in &draft.entries {
            if let Some(record) = entry.idempotency {
                self.idempotency.insert(record.key, record);
            }
            let contra = (key.asset.clone(), entry.contra);
            changes.contra_gains.entry(contra).or_default().add(entry);
        }
        if let Some((order, allocations)) = draft.allocations {
            self.allocations.insert(order, allocations);
        }
        changes.entries.extend(draft.entries);
        changes.accounts.insert(key.clone(), draft.account.clone());
        self.accounts.insert(key, draft.account);
    }

    /// The rows to save.
    pub fn into_changes(self) -> Changes {
        let Book {
            loaded_lots,
            frozen,
            mut changes,
            ..
        } = self;
        changes.frozen = frozen;
        for (key, account) in &changes.accounts {
            let before = loaded_lots.get(key).map_or(&[][..], Vec::as_slice);
            for lot in &account.lots {
                match remaining_in(before, lot.expires_at) {
                    Some(remaining) if remaining == lot.remaining => {}
                    Some(_) => changes.changed_lots.push((key.clone(), *lot)),
                    None => changes.opened_lots.push((key.clone(), *lot)),
                }
            }
            for lot in before {
                if remaining_in(&account.lots, lot.expires_at).is_none() {
                    changes.emptied_lots.push((key.clone(), lot.expires_at));
                }
            }
        }
        changes
    }
}
