//! Rules of points that all protocols share: the shop's coins with their expiry, reasons, key spaces, and the company's calendar.

pub mod calendar;
pub mod coins;
pub mod keys;
pub mod values;

use crate::gateway::fault::{CallError, Fault};
use crate::ledger::book::transaction::{Reason, Rejection};
use crate::ledger::{ApplyError, ReadError};

/// The reason of points for activity: the document's type 3, 活动奖励.
pub const REWARD: Reason = Reason(3);
/// The reason of expired points: the document's type 16, 积分过期.
pub const EXPIRED: Reason = Reason(16);
/// The reason of points for a payment: the document's type 4, 充值.
pub const PAYMENT: Reason = Reason(4);

/// The fault of `/gateway` for more points than the caller may give.
pub const OVER_LIMIT: Fault = Fault::new(508, "超出限额");

impl From<ReadError> for CallError {
    fn from(error: ReadError) -> CallError {
        match error {
            ReadError::Busy => CallError::Busy,
            ReadError::Unavailable => CallError::Internal,
        }
    }
}

/// Converts the error of a transaction; `reject` maps a rejection by the ledger to the method's fault.
pub fn call_error(error: ApplyError, reject: impl FnOnce(Rejection) -> CallError) -> CallError {
    match error {
        ApplyError::Rejected(rejection) => reject(rejection),
        ApplyError::Busy => CallError::Busy,
        ApplyError::Unavailable => CallError::Internal,
    }
}
