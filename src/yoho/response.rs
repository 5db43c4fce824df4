//! The sealed response: compact JSON with keys in alphabetical order; `md5` covers the salt and the exact bytes of `data`.

use crate::config::Secret;
use crate::gateway::dialect::Answer;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::reply::Reply;
use crate::sign::md5_hex;

/// Puts an outcome into the YOHO envelope.
pub fn seal(salt: &Secret, outcome: Result<Reply, CallError>) -> Answer {
    match outcome {
        Ok(Reply { data, message, .. }) => with_data(salt, 200, &data, message),
        Err(CallError::Fault(Fault {
            code,
            message,
            with_data: true,
            ..
        })) => with_data(salt, code, "{}", &message),
        Err(CallError::Fault(Fault {
            code,
            message,
            with_data: false,
            status,
        })) => without_data(status, code, &message),
        Err(CallError::Busy) => without_data(503, 503, "系统繁忙"),
        Err(CallError::Internal) => without_data(500, 500, "系统错误"),
    }
}

/// An answer with code and message alone, which is not sealed, under an HTTP status.
pub fn without_data(status: u16, code: i64, message: &str) -> Answer {
    Answer {
        status,
        code,
        body: format!(r#"{{"code":{code},"message":{}}}"#, quoted(message)),
    }
}

fn with_data(salt: &Secret, code: i64, data: &str, message: &str) -> Answer {
    let md5 = md5_hex(&[salt.reveal().as_bytes(), b":", data.as_bytes()]);
    let message = quoted(message);
    let body = format!(
        r#"{{"alg":"SALT_MD5","code":{code},"data":{data},"md5":"{md5}","message":{message}}}"#
    );
    Answer {
        status: 200,
        code,
        body,
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
