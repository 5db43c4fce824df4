//! How a call ends without a reply: a fault of the dialect, or a failure on our side.

use std::borrow::Cow;

/// A refusal as the client reads it: a code of its dialect and a message. It is a constant beside the method that answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code in the dialect's envelope.
    pub code: i64,
    /// The message in the dialect's envelope.
    pub message: Cow<'static, str>,
    /// Whether the refusal carries an empty `data` that is sealed like a success.
    pub with_data: bool,
    /// The HTTP status: 200, except for senders that look at nothing else.
    pub status: u16,
}

impl Fault {
    /// A refusal of code and message alone.
    pub const fn new(code: i64, message: &'static str) -> Fault {
        Fault {
            code,
            message: Cow::Borrowed(message),
            with_data: false,
            status: 200,
        }
    }

    /// A refusal whose message is made at run time.
    pub fn naming(code: i64, message: String) -> Fault {
        Fault {
            code,
            message: Cow::Owned(message),
            with_data: false,
            status: 200,
        }
    }

    /// A refusal for a sender that looks at the HTTP status alone.
    pub const fn http(status: u16, code: i64, message: &'static str) -> Fault {
        Fault {
            code,
            message: Cow::Borrowed(message),
            with_data: false,
            status,
        }
    }

    /// A refusal that carries an empty `data`.
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
    /// The dialect or the method refused it; it changed nothing.
    Fault(Fault),
    /// A queue is full; it changed nothing.
    Busy,
    /// Something on our side is broken; the log says what, under the request's id.
    Internal,
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> CallError {
        CallError::Fault(fault)
    }
}
