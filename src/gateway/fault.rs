//! What a call may end in besides its reply.

use std::borrow::Cow;

/// A refusal as the client reads it: a code of its dialect and a message. A constant beside the method that answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The dialect's code.
    pub code: i64,
    /// The dialect's text.
    pub message: Cow<'static, str>,
    /// Whether the refusal carries an empty `data`, sealed like a success.
    pub with_data: bool,
    /// HTTP's status, for senders that look at nothing else; 200 as a rule.
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

    /// A refusal whose message names something.
    pub fn naming(code: i64, message: String) -> Fault {
        Fault {
            code,
            message: Cow::Owned(message),
            with_data: false,
            status: 200,
        }
    }

    /// A refusal for a sender that looks at HTTP's status alone.
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
    /// It was refused and has changed nothing.
    Fault(Fault),
    /// Too much is waiting; it has changed nothing.
    Busy,
    /// Something on our side is broken; the log says what.
    Internal,
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> CallError {
        CallError::Fault(fault)
    }
}
