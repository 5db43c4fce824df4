//! The reply: `{"status":BOOL,"code":INT,"message":STR,"data":…}`, `data` only on success.

use serde_json::Value;

use super::{BROKEN, TOO_MANY};
use crate::gateway::dialect::Answer;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::reply::Reply;

/// Puts an outcome into the reply's envelope.
pub fn seal(outcome: Result<Reply, CallError>) -> Answer {
    match outcome {
        Ok(Reply { data, message, .. }) => Answer {
            status: 200,
            code: 0,
            body: format!(
                r#"{{"status":true,"code":0,"message":{},"data":{data}}}"#,
                Value::from(message)
            ),
        },
        Err(CallError::Fault(fault)) => seal_fault(200, &fault),
        Err(CallError::Busy) => seal_fault(200, &TOO_MANY),
        Err(CallError::Internal) => seal_fault(500, &BROKEN),
    }
}

/// Answers a fault under an HTTP status. The envelope's `status` is true for faults of the business, with codes from 200000 to
/// 499999, because the request itself was valid.
pub fn seal_fault(status: u16, fault: &Fault) -> Answer {
    let business = (200_000..500_000).contains(&fault.code);
    Answer {
        status,
        code: fault.code,
        body: format!(
            r#"{{"status":{business},"code":{},"message":{}}}"#,
            fault.code,
            Value::from(&*fault.message)
        ),
    }
}
