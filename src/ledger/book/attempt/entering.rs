//! Adding the entries of an attempt.

use super::Attempt;
use crate::ledger::book::debt::DebtCause;
use crate::ledger::book::entry::{Contra, Entry, Format, Hash};
use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::lots::LotChange;
use crate::ledger::book::transaction::{Reason, Rejection};

/// What an entry says of its cause.
#[derive(Clone, Copy)]
pub(super) struct Cause<'c> {
    /// Whether the posting itself is the cause.
    pub is_own: bool,
    pub reason: Reason,
    pub reference: Option<&'c str>,
    pub message: Option<&'c str>,
    pub operator: Option<i64>,
}

impl<'c> Cause<'c> {
    /// Of an entry that pays off a debt.
    pub fn of_debt(debt: &'c DebtCause) -> Cause<'c> {
        Cause {
            is_own: false,
            reason: debt.reason,
            reference: debt.reference.as_deref(),
            message: debt.message.as_deref(),
            operator: None,
        }
    }
}

impl<'a> Attempt<'a> {
    /// What the posting's own entry says.
    pub(super) fn own(&self) -> Cause<'a> {
        let posting = self.posting;
        Cause {
            is_own: true,
            reason: posting.reason,
            reference: posting.reference.as_deref(),
            message: posting.message.as_deref(),
            operator: posting.operator,
        }
    }

    /// What an entry says that expires points.
    pub(super) fn of_expiry(&self) -> Cause<'static> {
        Cause {
            is_own: false,
            reason: self.expiry_reason,
            reference: None,
            message: None,
            operator: None,
        }
    }

    /// Adds an entry.
    pub(super) fn enter(
        &mut self,
        at: i64,
        lots: Vec<LotChange>,
        contra: Contra,
        cause: Cause<'_>,
    ) -> Result<(), Rejection> {
        let step = self.account.step(at, &lots).ok_or(Rejection::OutOfRange)?;
        let (idempotency, order) = match cause.is_own {
            true => {
                let order = self.allocations.as_ref().map(|(order, _)| *order);
                (self.idempotency.take(), order)
            }
            false => (None, None),
        };
        self.entries.push(Entry {
            format: Format::Second,
            account: self.key.clone(),
            seq: step.seq,
            at: step.at,
            recorded_at: Some(self.asked.now),
            origin: Some(self.asked.origin),
            request_id: self.asked.request_id.cloned(),
            reason: cause.reason,
            amount: step.amount,
            lots,
            order,
            balance_after: step.balance_after,
            contra,
            direction_seq: step.direction_seq,
            reference: cause.reference.map(str::to_owned),
            message: cause.message.map(str::to_owned),
            operator: cause.operator,
            idempotency: idempotency.map(|it| IdempotencyRecord {
                key: it.key,
                fingerprint: it.fingerprint,
                balance: step.balance_after,
                amount: step.amount,
            }),
            hash: Hash::default(),
        });
        self.moved |= cause.is_own;
        Ok(())
    }
}
