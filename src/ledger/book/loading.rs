//! Loading what a batch touches into the book.

use std::collections::HashMap;

use super::Book;
use super::account::{Account, Allocation};
use super::changes::LimitKey;
use super::debt::{CorrectedEntry, DebtCause};
use super::freeze::FreezeScope;
use super::idempotency::IdempotencyRecord;
use super::key::Key;
use super::origins::StoredOrigin;
use super::transaction::{AccountKey, Nonce};
use crate::origin::Origin;

impl Book {
    /// Loads an account.
    pub fn put_account(&mut self, key: AccountKey, account: Account) {
        self.loaded_lots.insert(key.clone(), account.lots.clone());
        self.accounts.insert(key, account);
    }

    /// Loads what the entries of an origin say of it. Those of an origin that is not loaded get no number.
    pub fn put_origins(&mut self, origins: HashMap<Origin, StoredOrigin>) {
        self.origins.extend(origins);
    }

    /// Loads the record of a posting with an idempotency key.
    pub fn put_idempotency(&mut self, record: IdempotencyRecord) {
        self.idempotency.insert(record.key, record);
    }

    /// The allocations of an order, to load them.
    pub fn allocations_mut(&mut self, order: Key) -> &mut Vec<Allocation> {
        self.allocations.entry(order).or_default()
    }

    /// Loads a spent nonce.
    pub fn put_spent_nonce(&mut self, nonce: Nonce) {
        let place = (nonce.at, nonce.key);
        self.spent_nonces.insert(place, nonce.fingerprint);
    }

    /// Loads the owner of an account that stands under another name.
    pub fn put_identity(&mut self, named: AccountKey, owner: String) {
        self.identities.insert(named, owner);
    }

    /// Loads an entry that a correction corrects.
    pub fn put_corrected(&mut self, account: AccountKey, seq: i64, entry: CorrectedEntry) {
        self.corrected.insert((account, seq), entry);
    }

    /// Loads the cause of a debt.
    pub fn put_debt(&mut self, account: AccountKey, cause: DebtCause) {
        self.debts.insert(account, cause);
    }

    /// Loads the freeze of an owner.
    pub fn put_frozen(&mut self, owner: String, scope: FreezeScope) {
        self.frozen.insert(owner, scope);
    }

    /// The owner under whose name an account stands.
    pub fn owner_of<'n>(&'n self, named: &'n AccountKey) -> &'n str {
        self.identities
            .get(named)
            .map_or(&named.owner, String::as_str)
    }

    /// Loads a recorded action, whose row has this key.
    pub fn put_recorded_action(&mut self, key: Key, identity: Key, scored: bool) {
        self.recorded_actions.insert(key, (identity, scored));
    }

    /// Loads the number of actions that count towards a limit.
    pub fn put_limit_count(&mut self, key: LimitKey, count: i64) {
        self.limit_counts.insert(key, count);
    }

    /// Loads the number of recorded events of a payment's subject.
    pub fn put_payment_count(&mut self, subject: String, count: i64) {
        self.payment_counts.insert(subject, count);
    }
}
