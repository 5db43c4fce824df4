//! The outcome of a message that changes a member.

use crate::gateway::fault::CallError;
use crate::members::ChangeError;
use crate::points::messages::MESSAGE_ID_USED;

impl From<ChangeError> for CallError {
    fn from(error: ChangeError) -> CallError {
        match error {
            ChangeError::MessageIdUsed => MESSAGE_ID_USED.into(),
            ChangeError::Read(error) => error.into(),
        }
    }
}
