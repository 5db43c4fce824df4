//! Units and their postings: what may be asked of the ledger, and what it answers.

use std::fmt;
use std::sync::Arc;

use crate::ledger::book::key::Key;

/// The expiry of points that never lapse.
pub const NEVER: i64 = i64::MAX;

/// The most points that one posting may move, so that no sum of the books comes near the end of 64 bits.
pub const MOST: i64 = 1_000_000_000_000;

/// Which account: whose points of what. A member may have two names, which then lead to the same account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountKey {
    /// Whose: `uid:50030141`.
    pub owner: String,
    /// Of what: `coin`.
    pub asset: String,
}

/// Everything that one request changes, applied entirely or not at all.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// The nonce that it spends.
    pub nonce: Option<Nonce>,
    /// The movements that it asks for, in their order.
    pub postings: Vec<Posting>,
    /// The action that it records, once for ever.
    pub action: Option<Action>,
}

impl Transaction {
    /// One posting and nothing else.
    pub fn of(posting: Posting) -> Transaction {
        Transaction {
            postings: vec![posting],
            ..Transaction::default()
        }
    }

    /// Whether it counts once however often it is applied, and is answered alike each time.
    pub fn counts_once(&self) -> bool {
        let guarded = self
            .postings
            .iter()
            .all(|posting| posting.idempotency.is_some());
        self.nonce.is_none() && (guarded || self.action.is_some())
    }
}

/// What became of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// For each posting; none where an action was a repeat, or was beyond its limit.
    pub receipts: Vec<Receipt>,
    /// The action's answer, which is the first one where it is a repeat.
    pub answer: Option<String>,
}

/// Something that a member did, to be recorded and answered alike for ever. Where it goes beyond a limit, it is recorded
/// and answered, and its unit's postings do not happen.
#[derive(Clone)]
pub struct Action {
    /// What makes it the same action: its token, as the sender writes it.
    pub token: String,
    /// Who did it, as the sender names them.
    pub owner: String,
    /// What they did.
    pub name: String,
    /// To whom.
    pub other: Option<String>,
    /// To what.
    pub object: Option<String>,
    /// How often it may move points.
    pub limit: Option<Limit>,
    /// Its answer, given for each posting the final balance of its account, or none where it moved nothing.
    pub answer: Answer,
}

/// How an action is answered.
pub type Answer = Arc<dyn Fn(&[Option<i64>]) -> String + Send + Sync>;

/// How often an action of one owner and name may move points within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So often.
    pub most: i64,
    /// From this time on (ms).
    pub from: i64,
    /// Up to before this time (ms).
    pub until: i64,
}

impl Action {
    /// The key of its token.
    pub fn key(&self) -> Key {
        Key::of(&["action", &self.token])
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A word that may be used once, kept until [`Ledger::sweep`](super::Ledger::sweep) takes it for too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nonce {
    /// The time that it names itself (ms).
    pub at: i64,
    /// Whose word it is, and which.
    pub key: Key,
}

/// One movement that a caller asks for.
#[derive(Clone, Debug)]
pub struct Posting {
    /// The member's account.
    pub account: AccountKey,
    /// What is to happen.
    pub kind: PostingKind,
    /// The number of the points' type, for the history.
    pub reason: Reason,
    /// The retry guard; none where each request counts.
    pub idempotency: Option<Idempotency>,
    /// The retry guard of another posting that must have happened.
    pub requires: Option<Key>,
    /// The caller's reference, for the history.
    pub reference: Option<String>,
    /// The caller's text, for the history.
    pub message: Option<String>,
    /// The back-office user, for the history.
    pub operator: Option<i64>,
}

/// Why points moved: a number that the caller gives, and that the history shows as the row's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason(pub i64);

/// What is to happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostingKind {
    /// Brings `amount` > 0 points that lapse at `expires_at` (ms, or [`NEVER`]).
    Earn {
        /// Points.
        amount: i64,
        /// From when on they no longer count.
        expires_at: i64,
    },
    /// Takes `amount` > 0 points, those that lapse soonest first; with an `order`, they may be returned under it.
    Spend {
        /// Points.
        amount: i64,
        /// What they are spent on.
        order: Option<Key>,
    },
    /// Takes `amount` > 0 points, or as many as there are. It has no retry guard: what moved nothing has no entry that
    /// could be guarded.
    SpendUpTo {
        /// Points.
        amount: i64,
    },
    /// Gives `amount` > 0 points back to the very lots that `order` took them from, the latest first.
    Return {
        /// Points.
        amount: i64,
        /// What they had been spent on.
        order: Key,
    },
    /// Lapses what is due now, or by a later `due_by`.
    Lapse {
        /// Lots up to this time (ms) lapse.
        due_by: i64,
    },
}

/// A retry guard: the first posting under `key` counts, another with the same content is answered alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// What makes the request the same.
    pub key: Key,
    /// What must then be equal.
    pub fingerprint: Key,
}

/// The answer to a posting that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The balance after it (after the first of them, where this is a retry).
    pub balance: i64,
    /// Whether it had been applied before and changed nothing now.
    pub repeated: bool,
}

/// Why a posting was refused; it then changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The nonce has been used before.
    #[error("the nonce was used before")]
    NonceSpent,
    /// What it requires has not happened.
    #[error("what it requires has not happened")]
    RequirementMissing,
    /// The account does not hold so many points.
    #[error("not enough points")]
    Insufficient,
    /// The retry guard's key was used with other content.
    #[error("the reference was used with other content")]
    IdempotencyConflict,
    /// The order has spent less than this, or has had some of it back.
    #[error("more than the order spent and has not had back")]
    ReturnExceeds,
    /// The order has spent nothing.
    #[error("the order spent nothing")]
    NothingSpent,
    /// An amount that is not positive or beyond [`MOST`], or a balance beyond 64 bits.
    #[error("amount out of range")]
    OutOfRange,
}
