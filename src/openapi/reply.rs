//! The reply: `{"status":BOOL,"code":INT,"message":STR,"data":…}`, `data` only on success.

use serde_json::Value;

use super::{BROKEN, TOO_MANY};
use crate::gateway::dialect::Answer;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::reply::Reply;

/// Puts an outcome into the reply's envelope.
pub fn seal(outcome: Result<Reply, CallError>) -> Answer {
    match outcome {
        Ok(Reply { data, message }) => Answer {
            status: 200,
            code: 0,
            body: format!(
                r#"{{"status":true,"code":0,"message":{},"data":{data}}}"#,
                Value::from(message)
            ),
        },
        Err(CallError::Fault(fault)) => refusal(200, &fault),
        Err(CallError::Busy) => refusal(200, &TOO_MANY),
        Err(CallError::Internal) => refusal(500, &BROKEN),
    }
}

/// Writes a refusal, sent with an HTTP status. The envelope's `status` is true if only the business of a good request was refused:
/// the codes from 200000 to 499999.
pub fn refusal(status: u16, fault: &Fault) -> Answer {
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
