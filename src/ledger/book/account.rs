//! Accounts and their lots.

use super::hash::Hash;
pub use super::lots::Lot;
use super::lots::{self, LotChange};

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

/// What an account makes of its next entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry's number.
    pub seq: i64,
    /// Its number among the account's income, or among its expenses.
    pub direction_seq: i64,
    /// Its time (ms): the given one, or the last entry's if that is later.
    pub at: i64,
    /// The points that the account gains.
    pub amount: i64,
    /// Points that the account then has.
    pub balance_after: i64,
}

impl Account {
    /// Takes the next entry's effect on the account. `None`, after which the account means nothing, if a lot would hold less than 0
    /// points, or a number would exceed 64 bits.
    pub fn step(&mut self, at: i64, changes: &[LotChange]) -> Option<Step> {
        for change in changes {
            self.change_lot(*change)?;
        }
        self.step_of(at, lots::sum(changes)?)
    }

    /// As [`Account::step`], of an entry whose effect on the lots is unknown.
    pub fn step_of(&mut self, at: i64, amount: i64) -> Option<Step> {
        self.balance = self.balance.checked_add(amount)?;
        self.last_seq = self.last_seq.checked_add(1)?;
        self.income_seq += i64::from(amount > 0);
        self.last_at = self.last_at.max(at);
        Some(Step {
            seq: self.last_seq,
            direction_seq: match amount > 0 {
                true => self.income_seq,
                false => self.last_seq - self.income_seq,
            },
            at: self.last_at,
            amount,
            balance_after: self.balance,
        })
    }

    fn change_lot(&mut self, change: LotChange) -> Option<()> {
        let LotChange { expires_at, points } = change;
        let lots = &mut self.lots;
        match lots.binary_search_by_key(&expires_at, |lot| lot.expires_at) {
            Ok(at) => {
                let remaining = lots[at].remaining.checked_add(points)?;
                match remaining {
                    1.. => lots[at].remaining = remaining,
                    0 => drop(lots.remove(at)),
                    _ => return None,
                }
            }
            Err(at) if points > 0 => {
                let remaining = points;
                lots.insert(
                    at,
                    Lot {
                        expires_at,
                        remaining,
                    },
                );
            }
            Err(_) => return None,
        }
        Some(())
    }

    /// What a spend of `amount` points takes from the lots, those that expire soonest first. `None` if they hold fewer.
    pub fn consume(&self, amount: i64) -> Option<Vec<LotChange>> {
        let (mut changes, mut left) = (Vec::new(), amount);
        for lot in &self.lots {
            let drawn = left.min(lot.remaining);
            if drawn == 0 {
                break;
            }
            left -= drawn;
            changes.push(LotChange {
                expires_at: lot.expires_at,
                points: -drawn,
            });
        }
        (left == 0).then_some(changes)
    }

    /// What expires next by `due_by` (ms): all of the lot that expires soonest.
    pub fn next_due(&self, due_by: i64) -> Option<LotChange> {
        let first = self.lots.first().filter(|lot| lot.expires_at <= due_by);
        first.map(|lot| LotChange {
            expires_at: lot.expires_at,
            points: -lot.remaining,
        })
    }
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
