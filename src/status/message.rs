//! The identity of a message: what tells a redelivery from another message.

use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{NEVER, Nonce};
use crate::members::{ChangeError, MessageKey};
use crate::points::keys::KeySpace;

/// The fault of a message under the id of another one.
pub const MESSAGE_ID_USED: Fault = Fault::new(411, "message_id已被使用");

/// The idempotency key of a message to a method; `None` without a message id.
pub fn message_key(method: &str, context: &Context<Delivery>) -> Option<MessageKey> {
    let message = context.details.message.as_ref()?;
    let older = KeySpace::Message.key(&[method, &message.id]);
    Some(MessageKey {
        key: KeySpace::PublishedMessage.key(&[&message.publisher, method, &message.id]),
        fingerprint: Key::of(&[&message.content]),
        older: message.redelivered.then_some(older),
    })
}

/// The nonce that binds a message's id to its content, also where the sender's object identifies the change. It is kept for ever, as
/// the entries are.
pub fn nonce(message: MessageKey) -> Nonce {
    Nonce {
        at: NEVER,
        key: message.key,
        fingerprint: Some(message.fingerprint),
    }
}

impl From<ChangeError> for CallError {
    fn from(error: ChangeError) -> CallError {
        match error {
            ChangeError::MessageIdUsed => MESSAGE_ID_USED.into(),
            ChangeError::Read(error) => error.into(),
        }
    }
}
