//! Rules of points that all protocols share: the shop's coins with their expiry, reasons, key spaces, and the company's calendar.

pub mod calendar;
pub mod coins;
pub mod corrections;
pub mod key_record;
pub mod keys;
pub mod messages;
pub mod repeats;
pub mod values;

use std::sync::Arc;

use crate::config::Limits;
use crate::gateway::context::PointLimits;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::permissions::Permissions;
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

/// The fault of `/gateway` for points that a freeze keeps where they are.
pub const FROZEN: Fault = Fault::new(411, "账户已冻结");

/// The permissions of a caller of the configuration. `allow` are patterns of methods.
pub fn permissions(allow: &[String], limits: &Limits) -> Arc<Permissions> {
    let points = PointLimits {
        per_request: limits.max_points,
        per_day: limits.max_points_per_day,
    };
    let (from, rate) = (limits.from.clone(), limits.rate_per_second);
    Arc::new(Permissions::new(allow.to_vec(), from, rate, points))
}

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
