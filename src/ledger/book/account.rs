//! Accounts and their lots.

use crate::ledger::book::entry::Hash;

/// Points of an account that expire together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The time from which on they no longer count (ms).
    pub expires_at: i64,
    /// Points left.
    pub remaining: i64,
}

/// An account as the book knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The database's number, if the account has a row.
    pub id: Option<i64>,
    /// Points, including those of lots that are due but have not expired yet.
    pub balance: i64,
    /// The number of entries.
    pub last_seq: i64,
    /// The number of entries that are income.
    pub income_seq: i64,
    /// The time of the last entry (ms).
    pub last_at: i64,
    /// The last entry's hash.
    pub head: Hash,
    /// Lots with points, those that expire soonest first.
    pub lots: Vec<Lot>,
}

/// The part of a spend that came out of one lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The number of the spending entry.
    pub spend_seq: i64,
    /// The lot's expiry (ms).
    pub expires_at: i64,
    /// Points taken from the lot.
    pub drawn: i64,
    /// Points given back since, at most `drawn`.
    pub returned: i64,
}

/// The points in the lot that expires at `expires_at`, if there is such a lot.
pub(super) fn remaining_in(lots: &[Lot], expires_at: i64) -> Option<i64> {
    let at = lots.binary_search_by_key(&expires_at, |lot| lot.expires_at);
    at.ok().map(|at| lots[at].remaining)
}
