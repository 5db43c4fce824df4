//! The identity of a message of the broker: what tells a redelivery from another message.

use super::keys::KeySpace;
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::Fault;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{NEVER, Nonce};
use crate::members::MessageKey;

/// The fault of `/gateway` for a message under the id of another one.
pub const MESSAGE_ID_USED: Fault = Fault::new(412, "message_id已被使用");

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

/// The nonce that binds a message's id to its content, whichever idempotency key the entry has: the message's, an order's, that of the
/// sender's object. It has no end, as the entries have none: a queue of years ago that is published once more counts nothing twice.
pub fn message_nonce(message: MessageKey) -> Nonce {
    Nonce {
        at: NEVER,
        key: message.key,
        fingerprint: Some(message.fingerprint),
    }
}
