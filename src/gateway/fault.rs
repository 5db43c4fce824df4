//! Unsuccessful outcomes of a call: a fault for the client, a full queue, or an internal failure.

use std::borrow::Cow;

/// A rejection in the client's terms: a code of its dialect and a message. Most are constants beside the method that returns them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code in the dialect's envelope.
    pub code: i64,
    /// The message in the dialect's envelope.
    pub message: Cow<'static, str>,
    /// Whether the answer has an empty `data`, sealed like a success.
    pub with_data: bool,
    /// The HTTP status: 200, except for senders that ignore the envelope.
    pub status: u16,
}

impl Fault {
    /// A fault with code and message alone, under HTTP status 200.
    pub const fn new(code: i64, message: &'static str) -> Fault {
        Fault {
            code,
            message: Cow::Borrowed(message),
            with_data: false,
            status: 200,
        }
    }

    /// As [`Fault::new`], with a message built at run time.
    pub fn formatted(code: i64, message: String) -> Fault {
        Fault {
            code,
            message: Cow::Owned(message),
            with_data: false,
            status: 200,
        }
    }

    /// As [`Fault::new`], for a sender that ignores the envelope and looks at the HTTP status.
    pub const fn http(status: u16, code: i64, message: &'static str) -> Fault {
        Fault {
            code,
            message: Cow::Borrowed(message),
            with_data: false,
            status,
        }
    }

    /// As [`Fault::new`], with an empty `data` in the answer.
    pub const fn with_data(code: i64, message: &'static str) -> Fault {
        Fault {
            code,
            message: Cow::Borrowed(message),
            with_data: true,
            status: 200,
        }
    }
}

/// Why a call has no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The dialect or the method rejected the call, which changed nothing.
    Fault(Fault),
    /// A queue of the ledger is full. The call changed nothing and may be retried.
    Busy,
    /// An internal failure. The log has the cause under the request id; a client may retry under the same idempotency key.
    Internal,
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> CallError {
        CallError::Fault(fault)
    }
}
