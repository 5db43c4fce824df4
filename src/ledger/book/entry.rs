//! Entries: what happened to an account, each linked to the one before it by its hash.

use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use super::hash::Hash;
use super::hash::{hex_in, update_bytes, update_key, update_text};

use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::key::Key;
use crate::ledger::book::lots::{LotChange, write_changes};
use crate::ledger::book::origins::StoredOrigin;
use crate::ledger::book::transaction::{AccountKey, Reason};

/// The contra account of an entry: the other side of the movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contra {
    /// Earned points come from here.
    Issued,
    /// Spent points go here, and returned points come from here.
    Redeemed,
    /// Expired points go here.
    Expired,
    /// What an operator corrects comes from here and goes here.
    Adjusted,
    /// What moves from one member to another passes here, so that it sums to zero.
    Transferred,
}

impl Contra {
    /// The name in the database. It is part of every entry's hash, so it never changes.
    pub fn name(self) -> &'static str {
        match self {
            Contra::Issued => "issued",
            Contra::Redeemed => "redeemed",
            Contra::Expired => "lapsed",
            Contra::Adjusted => "adjusted",
            Contra::Transferred => "transferred",
        }
    }

    /// Reads a name from the database. Returns `None` if no contra account has it.
    pub fn from_name(name: &str) -> Option<Contra> {
        [
            Contra::Issued,
            Contra::Redeemed,
            Contra::Expired,
            Contra::Adjusted,
            Contra::Transferred,
        ]
        .into_iter()
        .find(|contra| contra.name() == name)
    }
}

/// The format of an entry, which says what its hash covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Of versions before 0.2: the hash does not cover what came with the second format, and the effect on lots is unknown.
    First,
    /// The hash covers everything that the entry says.
    Second,
}

impl Format {
    /// The number in the database.
    pub fn version(self) -> i64 {
        match self {
            Format::First => 1,
            Format::Second => 2,
        }
    }

    /// Reads a number from the database. Returns `None` if no format has it.
    pub fn of_version(version: i64) -> Option<Format> {
        let mut all = [Format::First, Format::Second].into_iter();
        all.find(|format| format.version() == version)
    }
}

/// One movement of points. An entry never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What its hash covers.
    pub format: Format,
    /// The member's account.
    pub account: AccountKey,
    /// 1, 2, 3, … within the account.
    pub seq: i64,
    /// When it happened (ms). Points expire at the end of their time, whenever the ledger records it.
    pub at: i64,
    /// When the ledger recorded it (ms); absent from the first format.
    pub recorded_at: Option<i64>,
    /// Who asked for it; absent from the first format.
    pub origin: Option<StoredOrigin>,
    /// The request that asked for it; `None` if no request did.
    pub request_id: Option<Arc<str>>,
    /// Why points moved.
    pub reason: Reason,
    /// Points, positive if the account gains.
    pub amount: i64,
    /// The effect on each lot; absent from the first format.
    pub lots: Vec<LotChange>,
    /// The order that it spent on or gave back of; absent from the first format.
    pub order: Option<Key>,
    /// The account's balance after the entry.
    pub balance_after: i64,
    /// The other side.
    pub contra: Contra,
    /// 1, 2, 3, … among the account's income, or among its expenses.
    pub direction_seq: i64,
    /// The caller's reference.
    pub reference: Option<String>,
    /// The caller's text.
    pub message: Option<String>,
    /// The back-office user who asked for it.
    pub operator: Option<i64>,
    /// What a retry of the posting finds.
    pub idempotency: Option<IdempotencyRecord>,
    /// The result of [`Entry::hash_after`] for the entry before it.
    pub hash: Hash,
}

impl Entry {
    /// 1 for income, 2 for an expense.
    pub fn direction(&self) -> i64 {
        if self.amount > 0 { 1 } else { 2 }
    }

    /// The hash over the hash of the entry before and this entry's content. Each text is hashed after its length, and an
    /// absent one differs from an empty one, so that two contents never give the same bytes. `docs/proofs.md` describes it.
    pub fn hash_after(&self, before: &Hash) -> Hash {
        let mut hash = Sha256::new();
        match self.format {
            Format::First => self.hash_first(before, &mut hash),
            Format::Second => self.hash_second(before, &mut hash),
        }
        hash.finalize().into()
    }

    fn hash_first(&self, before: &Hash, hash: &mut Sha256) {
        hash.update(b"pointgate entry 1");
        hash.update(before);
        for number in [
            self.seq,
            self.at,
            self.reason.0,
            self.amount,
            self.balance_after,
            self.direction_seq,
        ] {
            hash.update(number.to_be_bytes());
        }
        self.hash_texts(hash);
        let key = self.idempotency.map(|record| record.key);
        update_key(hash, key);
    }

    fn hash_second(&self, before: &Hash, hash: &mut Sha256) {
        hash.update(b"pointgate entry 2");
        hash.update(before);
        for number in [
            self.seq,
            self.at,
            self.recorded_at.unwrap_or_default(),
            self.reason.0,
            self.amount,
            self.balance_after,
            self.direction_seq,
        ] {
            hash.update(number.to_be_bytes());
        }
        self.hash_texts(hash);
        update_text(hash, self.request_id.as_deref());
        let mut digest = [0; 64];
        let digest = self
            .origin
            .map(|origin| hex_in(&origin.digest, &mut digest));
        update_bytes(hash, digest);
        update_text(hash, Some(&write_changes(&self.lots)));
        update_key(hash, self.order);
        let idempotency = self.idempotency;
        update_key(hash, idempotency.map(|record| record.key));
        update_key(hash, idempotency.map(|record| record.fingerprint));
        let balance = idempotency.map(|record| record.balance.to_string());
        update_text(hash, balance.as_deref());
    }

    fn hash_texts(&self, hash: &mut Sha256) {
        let operator = self.operator.map(|id| id.to_string());
        for text in [
            Some(self.account.asset.as_str()),
            Some(&self.account.owner),
            Some(self.contra.name()),
            self.reference.as_deref(),
            self.message.as_deref(),
            operator.as_deref(),
        ] {
            update_text(hash, text);
        }
    }
}
