//! Entries: what happened to an account, each linked to the one before it by its hash.

use sha2::{Digest, Sha256};

use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{AccountKey, Reason};

/// A SHA-256; all zero before an account's first entry.
pub type Hash = [u8; 32];

/// The contra account of an entry: the other side of the movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contra {
    /// Earned points come from here.
    Issued,
    /// Spent points go here, and returned points come from here.
    Redeemed,
    /// Expired points go here.
    Expired,
}

impl Contra {
    /// The name in the database. It is part of every entry's hash, so it never changes.
    pub fn name(self) -> &'static str {
        match self {
            Contra::Issued => "issued",
            Contra::Redeemed => "redeemed",
            Contra::Expired => "lapsed",
        }
    }

    /// Reads a name from the database. Returns `None` if no contra account has it.
    pub fn from_name(name: &str) -> Option<Contra> {
        [Contra::Issued, Contra::Redeemed, Contra::Expired]
            .into_iter()
            .find(|contra| contra.name() == name)
    }
}

/// One movement of points. An entry never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The member's account.
    pub account: AccountKey,
    /// 1, 2, 3, … within the account.
    pub seq: i64,
    /// When it happened (ms).
    pub at: i64,
    /// Why points moved.
    pub reason: Reason,
    /// Points, positive if the account gains.
    pub amount: i64,
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
    /// absent one differs from an empty one, so that two contents never give the same bytes.
    pub fn hash_after(&self, before: &Hash) -> Hash {
        let mut hash = Sha256::new();
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
        let operator = self.operator.map(|id| id.to_string());
        let key = self.idempotency.map(|record| hexed(record.key));
        for text in [
            Some(self.account.asset.as_str()),
            Some(&self.account.owner),
            Some(self.contra.name()),
            self.reference.as_deref(),
            self.message.as_deref(),
            operator.as_deref(),
            key.as_deref(),
        ] {
            update_text(&mut hash, text);
        }
        hash.finalize().into()
    }
}

fn hexed(key: Key) -> String {
    hex::encode(key.bytes())
}

/// Hashes a text after its length, or the greatest length in place of an absent one.
pub(super) fn update_text(hash: &mut Sha256, text: Option<&str>) {
    match text {
        Some(text) => {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        None => hash.update(u64::MAX.to_be_bytes()),
    }
}
