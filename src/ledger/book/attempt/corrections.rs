//! Attempts at corrections, and the payment of debts.

use super::{Attempt, Cause, Draft, View, check_range};
use crate::ledger::book::account::Account;
use crate::ledger::book::correction::Correction;
use crate::ledger::book::debt::{CorrectedEntry, DebtCause, debt_of};
use crate::ledger::book::entry::Contra;
use crate::ledger::book::lots::{self, LotChange};
use crate::ledger::book::order;
use crate::ledger::book::transaction::{AccountKey, NEVER, PostingKind, Rejection};

/// What an account owes, after a posting to it.
pub(in crate::ledger::book) struct Debt<D> {
    /// The account that holds the debt.
    pub account: D,
    pub cause: DebtCause,
}

impl<'a> View<'_, 'a> {
    /// Applies a correction to the account of an attempt.
    ///
    /// # Errors
    /// Returns the [`Rejection`] if a rule forbids it.
    pub(super) fn correct(
        &self,
        attempt: &mut Attempt<'a>,
        correction: Correction,
    ) -> Result<(), Rejection> {
        match correction {
            Correction::Adjust {
                points,
                expires_at,
                claw_back,
            } => match points {
                1.. => {
                    check_range(points)?;
                    attempt.correct(vec![LotChange { expires_at, points }])
                }
                _ => {
                    let points = points.checked_neg().ok_or(Rejection::OutOfRange)?;
                    check_range(points)?;
                    let taken = points.min(attempt.account.balance);
                    attempt.take(taken)?;
                    let left = if claw_back { points - taken } else { 0 };
                    self.claw_back(attempt, left)
                }
            },
            Correction::Reverse { seq, claw_back } => self.reverse(attempt, seq, claw_back),
            Correction::Reinstate { seq, expires_at } => {
                let entry = self.corrected(attempt, seq)?;
                let lots = match (entry.contra, &entry.lots[..]) {
                    (Contra::Expired, [lot]) => vec![LotChange {
                        expires_at: expires_at.unwrap_or(lot.expires_at),
                        points: -lot.points,
                    }],
                    _ => return Err(Rejection::NotCorrectable),
                };
                // They would expire at once.
                match lots.iter().all(|lot| lot.expires_at > self.asked.now) {
                    true => attempt.correct(lots),
                    false => Err(Rejection::NotCorrectable),
                }
            }
            Correction::TransferOut { points } => {
                check_range(points)?;
                let lots = attempt.account.consume(points);
                let lots = lots.ok_or(Rejection::Insufficient)?;
                attempt.enter(attempt.asked.now, lots, Contra::Transferred, attempt.own())
            }
            Correction::TransferIn => {
                let lots = self.transferred(&attempt.key)?;
                attempt.enter(attempt.asked.now, lots, Contra::Transferred, attempt.own())
            }
        }
    }

    fn corrected(&self, attempt: &Attempt<'_>, seq: i64) -> Result<&CorrectedEntry, Rejection> {
        let entry = self.book.corrected.get(&(attempt.key.clone(), seq));
        entry.ok_or(Rejection::NotCorrectable)
    }

    fn reverse(
        &self,
        attempt: &mut Attempt<'a>,
        seq: i64,
        claw_back: bool,
    ) -> Result<(), Rejection> {
        let entry = self.corrected(attempt, seq)?;
        let amount = lots::sum(&entry.lots).unwrap_or_default();
        match (entry.contra, amount) {
            (Contra::Issued, 1..) => self.take_back(attempt, &entry.lots, claw_back),
            (Contra::Redeemed, ..=-1) => {
                let Some(order) = entry.order else {
                    let back = entry.lots.iter().map(|lot| LotChange {
                        points: -lot.points,
                        ..*lot
                    });
                    return attempt.correct(back.collect());
                };
                // The order's own return must not give the same points back once more.
                let mut allocations = self.allocations(&order);
                let mut left = Vec::new();
                for of_entry in allocations.iter().filter(|it| it.spend_seq == seq) {
                    let back = of_entry.drawn - of_entry.returned;
                    if back > 0 {
                        lots::add(&mut left, of_entry.expires_at, back);
                    }
                }
                let back = order::give_back(&mut allocations, lots::sum(&left).unwrap_or_default());
                if left.is_empty() || back.as_ref() != Some(&left) {
                    return Err(Rejection::NotCorrectable);
                }
                attempt.allocations = Some((order, allocations));
                attempt.correct(left)
            }
            _ => Err(Rejection::NotCorrectable),
        }
    }

    /// Takes earned points from the lots that they came into, and what these do not hold any more from others.
    fn take_back(
        &self,
        attempt: &mut Attempt<'a>,
        earned: &[LotChange],
        claw_back: bool,
    ) -> Result<(), Rejection> {
        let (mut taken, mut missing) = (Vec::new(), 0);
        for lot in earned {
            if lot.expires_at <= self.asked.now {
                // What was not spent of it by then has gone already.
                return Err(Rejection::NotCorrectable);
            }
            let held = attempt.account.held_in(lot.expires_at).min(lot.points);
            missing += lot.points - held;
            if held > 0 {
                lots::add(&mut taken, lot.expires_at, -held);
            }
        }
        if missing > 0 && !claw_back {
            return Err(Rejection::Insufficient);
        }
        if !taken.is_empty() {
            attempt.correct(taken)?;
        }
        let other = missing.min(attempt.account.balance);
        attempt.take(other)?;
        self.claw_back(attempt, missing - other)
    }

    /// What the posting before took from an account of the same asset, as gains of this one.
    fn transferred(&self, key: &AccountKey) -> Result<Vec<LotChange>, Rejection> {
        let out = self.drafts.last().filter(|draft| {
            let kind = draft.posting.kind;
            matches!(kind, PostingKind::Correct(Correction::TransferOut { .. }))
                && draft.key.asset == key.asset
                && draft.key.owner != key.owner
        });
        let entries = out.map(|draft| &draft.entries);
        let taken = entries.and_then(|it| it.iter().find(|it| it.contra == Contra::Transferred));
        let taken = taken.ok_or(Rejection::NotCorrectable)?;
        let gain = |lot: &LotChange| LotChange {
            points: -lot.points,
            ..*lot
        };
        Ok(taken.lots.iter().map(gain).collect())
    }

    /// Makes the account owe points.
    fn claw_back(&self, attempt: &mut Attempt<'a>, points: i64) -> Result<(), Rejection> {
        if points == 0 {
            return Ok(());
        }
        let posting = attempt.posting;
        let cause = DebtCause {
            reason: posting.reason,
            reference: posting.reference.clone(),
            message: posting.message.clone(),
        };
        let mut debt = self.debt(attempt, cause).ok_or(Rejection::OutOfRange)?;
        // The record of the correction stands in its first entry.
        debt.account.idempotency = attempt.idempotency.take();
        let expires_at = NEVER;
        let lots = vec![LotChange { expires_at, points }];
        debt.account.correct(lots)?;
        attempt.moved = true;
        attempt.debt = Some(Box::new(debt));
        Ok(())
    }

    /// Pays what the account owes, as far as it holds points.
    pub(super) fn pay_off(&self, attempt: &mut Attempt<'a>) -> Result<(), Rejection> {
        let in_debt = !self.book.debts.is_empty() || self.drafts.iter().any(Draft::has_debt);
        if attempt.account.balance == 0 || !(in_debt || attempt.debt.is_some()) {
            return Ok(());
        }
        let mut debt = match attempt.debt.take() {
            Some(debt) => debt,
            None => {
                let cause = debt_of(&attempt.key).and_then(|key| self.cause(&key));
                let debt = cause.and_then(|cause| self.debt(attempt, cause));
                let Some(debt) = debt else { return Ok(()) };
                Box::new(debt)
            }
        };
        let points = debt.account.account.balance.min(attempt.account.balance);
        if points > 0 {
            let now = attempt.asked.now;
            let lots = attempt.account.consume(points);
            let lots = lots.ok_or(Rejection::Insufficient)?;
            attempt.enter(now, lots, Contra::Adjusted, Cause::of_debt(&debt.cause))?;
            let paid = debt.account.account.consume(points);
            let paid = paid.ok_or(Rejection::Insufficient)?;
            let cause = Cause::of_debt(&debt.cause);
            debt.account.enter(now, paid, Contra::Adjusted, cause)?;
        }
        attempt.debt = Some(debt);
        Ok(())
    }

    /// An attempt at the account that holds the debt of another one's.
    fn debt(&self, attempt: &Attempt<'a>, cause: DebtCause) -> Option<Debt<Attempt<'a>>> {
        let key = debt_of(&attempt.key)?;
        let account = self.account(&key);
        let account = self.attempt_at(attempt.posting, key, account);
        Some(Debt { account, cause })
    }

    fn cause(&self, key: &AccountKey) -> Option<DebtCause> {
        let drafts = self.drafts.iter().rev();
        let mut drafted = drafts.filter_map(|draft| draft.debt.as_deref());
        match drafted.find(|debt| debt.account.key == *key) {
            Some(debt) => Some(debt.cause.clone()),
            None => self.book.debts.get(key).cloned(),
        }
    }
}

impl Attempt<'_> {
    /// Adds the entry of a correction.
    fn correct(&mut self, lots: Vec<LotChange>) -> Result<(), Rejection> {
        self.enter(self.asked.now, lots, Contra::Adjusted, self.own())
    }

    /// Takes points, those that expire soonest first.
    fn take(&mut self, points: i64) -> Result<(), Rejection> {
        let lots = self.account.consume(points);
        match lots.ok_or(Rejection::Insufficient)? {
            none if none.is_empty() => Ok(()),
            lots => self.correct(lots),
        }
    }
}

impl Account {
    /// The points in the lot that expires at `expires_at` (ms).
    fn held_in(&self, expires_at: i64) -> i64 {
        let mut lots = self.lots.iter();
        let lot = lots.find(|lot| lot.expires_at == expires_at);
        lot.map_or(0, |lot| lot.remaining)
    }
}

impl Draft<'_> {
    fn has_debt(&self) -> bool {
        self.debt.is_some()
    }
}
