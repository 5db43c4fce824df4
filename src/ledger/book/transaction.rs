//! What a caller can ask of the ledger, and what the ledger answers.

use std::sync::Arc;

use entity::payment;

use crate::ledger::book::correction::Correction;
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::journal::PendingRecord;
use crate::ledger::book::key::Key;
use crate::origin::Origin;

/// The expiry of points that never expire.
pub const NEVER: i64 = i64::MAX;

/// The most points that one posting moves. It keeps every sum in the ledger far below 64 bits.
pub const MOST: i64 = 1_000_000_000_000;

/// Names an account: one owner's points of one asset. A linked member has two names, which lead to the same account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountKey {
    /// The owner's name, such as `uid:50030141`.
    pub owner: String,
    /// The asset, such as `coin`.
    pub asset: String,
}

/// Everything that one request changes. The ledger applies all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// A nonce that the transaction spends.
    pub nonce: Option<Nonce>,
    /// Postings, applied in this order.
    pub postings: Vec<Posting>,
    /// Further idempotency keys under which an earlier attempt at the first posting may have been applied. If it was, with the same
    /// fingerprint, the transaction is a retry.
    pub earlier_keys: Vec<Key>,
    /// An action that the transaction records.
    pub action: Option<Action>,
    /// Bounds the points that the transaction may earn. An action beyond it is recorded, and its postings are not applied.
    pub credit_limit: Option<CreditLimit>,
    /// An event of a payment that the transaction records, provided that its `subject_seq` is the number of events of its subject
    /// that are recorded by then. Its caller has seen so many, and chose the postings by them.
    pub payment: Option<Box<payment::Model>>,
    /// The id of the request that asks for it; `None` where no request does.
    pub request_id: Option<Arc<str>>,
    /// The origin of its entries.
    pub origin: Origin,
    /// What the journal records if the transaction moves points.
    pub pending_record: Option<Box<PendingRecord>>,
}

impl From<Posting> for Transaction {
    fn from(posting: Posting) -> Transaction {
        Transaction::of(posting)
    }
}

impl Transaction {
    /// A transaction of one posting.
    pub fn of(posting: Posting) -> Transaction {
        Transaction {
            postings: vec![posting],
            ..Transaction::default()
        }
    }

    /// The same transaction, asked for by a request of this origin.
    pub fn requested_by(self, request_id: Arc<str>, origin: Origin) -> Transaction {
        Transaction {
            request_id: Some(request_id),
            origin,
            ..self
        }
    }

    /// Whether applying the transaction twice changes the ledger once, so that the writer may try it again when it does not
    /// know whether a commit succeeded.
    pub fn is_idempotent(&self) -> bool {
        let has_key = |posting: &Posting| posting.idempotency.is_some();
        let nonce_repeats = self.nonce.is_none_or(|nonce| nonce.fingerprint.is_some());
        let is_recorded = self.action.is_some() || self.payment.is_some();
        nonce_repeats && (is_recorded || self.postings.iter().all(has_key))
    }
}

/// The answer to a transaction that the ledger accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// One receipt for each posting, in their order. Empty if the action is a repeat or beyond its limit.
    pub receipts: Vec<Receipt>,
    /// The answer to the transaction's action, if it has one.
    pub action: Option<ActionReceipt>,
}

/// The answer to an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionReceipt {
    /// Whether the ledger had recorded the action before, and changed nothing now.
    pub repeated: bool,
    /// Whether the action's postings were applied when it was recorded.
    pub scored: bool,
}

/// Something that a member did. The ledger records it once; beyond its limit it is recorded, but its transaction's postings
/// are not applied.
#[derive(Clone, Debug)]
pub struct Action {
    /// The key of the token. Another transaction with this key and the same owner, name, counterpart and object is a repeat; one
    /// with others is another action, whose sender made up the same token.
    pub key: Key,
    /// The token that identifies it for the sender.
    pub token: String,
    /// The actor, as the sender names them.
    pub owner: String,
    /// The kind of action.
    pub name: String,
    /// The counterpart, if there is one.
    pub other: Option<String>,
    /// The object, if there is one.
    pub object: Option<String>,
    /// How often this kind of action moves points.
    pub limit: Option<Limit>,
}

impl Action {
    /// The key of all that makes two actions the same.
    pub fn identity(&self) -> Key {
        let (other, object) = (self.other.as_deref(), self.object.as_deref());
        Action::identity_of(&self.token, &self.owner, &self.name, other, object)
    }

    /// As [`Action::identity`], of an action with these properties.
    pub fn identity_of(
        token: &str,
        owner: &str,
        name: &str,
        other: Option<&str>,
        object: Option<&str>,
    ) -> Key {
        let (other, object) = (other.unwrap_or_default(), object.unwrap_or_default());
        Key::of(&["action", token, owner, name, other, object])
    }
}

/// Bounds how many actions of one owner and name move points in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The number of actions that move points.
    pub most: i64,
    /// The window's start (ms), inclusive.
    pub from: i64,
    /// The window's end (ms), exclusive.
    pub until: i64,
}

/// Bounds the points that a caller's transactions earn. A retry earns nothing, so it does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditLimit {
    /// The most points that one transaction may earn.
    pub most: i64,
    /// The points that all transactions of a period may earn together.
    pub allowance: Option<Allowance>,
}

/// The points that transactions may earn together, on all instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The key of the caller and the period.
    pub key: Key,
    /// The end of the period (ms); the ledger can forget what was earned after it.
    pub expires_at: i64,
    /// The most points.
    pub most: i64,
}

/// A value that one request may use. The ledger keeps it until [`Ledger::purge_nonces`](crate::ledger::Ledger::purge_nonces) removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nonce {
    /// The time that the request carries (ms).
    pub at: i64,
    /// The key of the caller and the value.
    pub key: Key,
    /// The key of the content that may use the value again, as a retry does, which changes nothing; `None` = nothing may.
    pub fingerprint: Option<Key>,
}

impl Nonce {
    /// Whether a request with this nonce is a retry of the one that spent it, whose fingerprint was `spent`.
    pub fn may_repeat(&self, spent: Option<Key>) -> bool {
        self.fingerprint.is_some() && self.fingerprint == spent
    }
}

/// One change of one account, as a caller asks for it.
#[derive(Clone, Debug)]
pub struct Posting {
    /// The account that changes.
    pub account: AccountKey,
    /// Whether the posting earns, spends or returns points.
    pub kind: PostingKind,
    /// Why it changes; the history shows it.
    pub reason: Reason,
    /// Makes a retry recognisable. Without it, each request counts.
    pub idempotency: Option<Idempotency>,
    /// The gain that a spend takes back: it takes no more than is left of it, and is rejected if nothing is.
    pub requires: Option<Gain>,
    /// The caller's reference; the history shows it.
    pub reference: Option<String>,
    /// The caller's text; the history shows it.
    pub message: Option<String>,
    /// The back-office user who asks for it.
    pub operator: Option<i64>,
}

/// Why points moved: a number that the caller gives and the history shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason(pub i64);

/// How a posting changes its account. Amounts are from 1 to [`MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostingKind {
    /// Adds points.
    Earn {
        /// Points to add.
        amount: i64,
        /// The time from which on they no longer count (ms), or [`NEVER`].
        expires_at: i64,
    },
    /// Takes points, those that expire soonest first.
    Spend {
        /// Points to take.
        amount: i64,
        /// The key of the order that they pay for, under which [`PostingKind::Return`] gives them back.
        order: Option<Key>,
    },
    /// Takes points, or all if there are fewer. It takes no idempotency key: an account without points gets no entry that
    /// could hold the record.
    SpendUpTo {
        /// Points to take at most.
        amount: i64,
    },
    /// Gives points back to the lots that the order took them from, the last one first.
    Return {
        /// Points to give back.
        amount: i64,
        /// The key of the order that spent them.
        order: Key,
    },
    /// Puts right what went wrong, as an operator asks.
    Correct(Correction),
    /// Expires the lots that are due now or by a later `due_by`.
    Expire {
        /// The latest expiry (ms) of the lots that expire.
        due_by: i64,
    },
}

impl PostingKind {
    /// Whether a freeze of this scope forbids it.
    pub fn is_forbidden_by(self, scope: FreezeScope) -> bool {
        match self {
            PostingKind::Spend { .. } => true,
            PostingKind::Earn { .. }
            | PostingKind::SpendUpTo { .. }
            | PostingKind::Return { .. } => scope == FreezeScope::All,
            PostingKind::Expire { .. } | PostingKind::Correct(_) => false,
        }
    }
}

/// Makes a retry recognisable: the first posting with `key` counts, and a later one with the same fingerprint is answered
/// as the first was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Identifies the request.
    pub key: Key,
    /// The key of the content that a retry must repeat.
    pub fingerprint: Key,
}

/// Points that an earlier posting brought, and that spends of the same account take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gain {
    /// The idempotency key of the posting that brought them.
    pub key: Key,
    /// The idempotency key of a spend whose own key was used with another fingerprint: the gain is taken back in several parts. The
    /// allocations of its spends stand under the gain's key.
    pub further: Key,
}

/// The answer to a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The account's balance after the posting; for a retry, the balance after the first one.
    pub balance: i64,
    /// Whether the posting is a retry, which changed nothing.
    pub repeated: bool,
    /// Whether points moved: false for a retry, and for a [`PostingKind::SpendUpTo`] that found none.
    pub moved: bool,
}

impl Receipt {
    /// The answer to a retry of the posting that left this record.
    pub fn of_retry(record: IdempotencyRecord) -> Receipt {
        Receipt {
            balance: record.balance,
            repeated: true,
            moved: false,
        }
    }
}

/// Why the ledger rejects a transaction, which then changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The nonce was spent before, and not by a request with the same fingerprint.
    #[error("the nonce was used before")]
    NonceSpent,
    /// Another event of the payment was recorded meanwhile.
    #[error("another event of the payment was recorded meanwhile")]
    PaymentChanged,
    /// Nothing is left of the gain that it takes back.
    #[error("nothing is left of the gain")]
    RequirementMissing,
    /// The account holds fewer points.
    #[error("not enough points")]
    Insufficient,
    /// The idempotency key was used with another fingerprint.
    #[error("the reference was used with other content")]
    IdempotencyConflict,
    /// The order spent fewer points, or some of them were returned before.
    #[error("the order has fewer points left to return")]
    ReturnExceeds,
    /// No posting spent points on the order.
    #[error("the order spent nothing")]
    NothingSpent,
    /// The caller may not earn so many points.
    #[error("more points than the caller may earn")]
    CreditLimit,
    /// The entry is not there, or cannot be corrected like that.
    #[error("there is no entry that can be corrected like that")]
    NotCorrectable,
    /// An operator has frozen the owner's accounts.
    #[error("the account is frozen")]
    Frozen,
    /// The amount is not from 1 to [`MOST`], or a balance would exceed 64 bits.
    #[error("amount out of range")]
    OutOfRange,
}
