//! An entry of the book, and the hash that chains it to the one before it in the same account.

use sha2::{Digest, Sha256};

use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{AccountKey, Idempotency, Reason};

/// SHA-256; all zero before an account's first entry.
pub type Hash = [u8; 32];

/// The other side of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Where earned points come from.
    Issued,
    /// Where spent points go to, and come back from.
    Redeemed,
    /// Where lapsed points go to.
    Lapsed,
}

impl Counter {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Counter::Issued => "issued",
            Counter::Redeemed => "redeemed",
            Counter::Lapsed => "lapsed",
        }
    }

    /// From what was stored.
    pub fn from_name(name: &str) -> Option<Counter> {
        [Counter::Issued, Counter::Redeemed, Counter::Lapsed]
            .into_iter()
            .find(|c| c.name() == name)
    }
}

/// What makes a retry find the entry that it would make again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Under which key, and for what.
    pub idempotency: Idempotency,
    /// The balance that was answered.
    pub answered: i64,
}

impl Guard {
    /// From what was stored; none where that is none, or not whole.
    pub fn stored(row: &entity::entry::Model) -> Option<Guard> {
        let key = |bytes: &Option<Vec<u8>>| Key::from_bytes(bytes.as_deref()?);
        let idempotency = Idempotency {
            key: key(&row.guard_key)?,
            fingerprint: key(&row.content_key)?,
        };
        let answered = row.answered?;
        Some(Guard {
            idempotency,
            answered,
        })
    }
}

/// One movement of points; never changed once made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The member's side.
    pub account: AccountKey,
    /// 1, 2, 3, … within the account.
    pub seq: i64,
    /// When (ms).
    pub at: i64,
    /// The number of the points' type.
    pub reason: Reason,
    /// Points as the member sees them: positive is income.
    pub amount: i64,
    /// The account's balance afterwards.
    pub balance_after: i64,
    /// The other side.
    pub counter: Counter,
    /// 1, 2, 3, … among the account's income, or among its expenses.
    pub direction_seq: i64,
    /// The caller's reference.
    pub reference: Option<String>,
    /// The caller's text.
    pub message: Option<String>,
    /// The back-office user.
    pub operator: Option<i64>,
    /// Its retry guard, if it has one.
    pub guard: Option<Guard>,
    /// [`Entry::hash_after`] the entry before.
    pub hash: Hash,
}

impl Entry {
    /// 1 income, 2 expense.
    pub fn direction(&self) -> i64 {
        if self.amount > 0 { 1 } else { 2 }
    }

    /// The hash of this entry's content after the hash of the entry before it. Each text has its length before it, and
    /// an absent value differs from an empty one, so that no two contents are the same bytes.
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
        text(&mut hash, Some(&self.account.asset));
        text(&mut hash, Some(&self.account.owner));
        text(&mut hash, Some(self.counter.name()));
        text(&mut hash, self.reference.as_deref());
        text(&mut hash, self.message.as_deref());
        text(&mut hash, self.operator.map(|id| id.to_string()).as_deref());
        let guard = self.guard.map(|guard| guard.idempotency.key);
        text(
            &mut hash,
            guard.map(|key| hex::encode(key.bytes())).as_deref(),
        );
        hash.finalize().into()
    }
}

fn text(hash: &mut Sha256, value: Option<&str>) {
    match value {
        Some(value) => {
            hash.update((value.len() as u64).to_be_bytes());
            hash.update(value.as_bytes());
        }
        None => hash.update(u64::MAX.to_be_bytes()),
    }
}
