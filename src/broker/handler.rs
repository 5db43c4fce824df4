//! Handles a message as a call of the method in its routing key.

use std::sync::Arc;

use lapin::message::Delivery as Message;
use lapin::types::AMQPValue;

use crate::clock::Clock;
use crate::config;
use crate::gateway::context::{
    BODY_SIGNATURE, Context, Delivery, MessageId, Origin, PointLimits, RequestId, RequestIds,
    SignedBody,
};
use crate::gateway::endpoint::Dispatch;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::json;
use crate::gateway::parameters::Parameters;

const NOT_AN_OBJECT: Fault = Fault::new(400, "the body is no JSON object");
/// The same answer as `/gateway` gives a client that may not call the method.
const FORBIDDEN: Fault = Fault::new(506, "无权调用此method");
/// The fault of a message whose user `amqp.publishers` does not name, or that has none.
const UNKNOWN_PUBLISHER: Fault =
    Fault::new(506, "the message's user_id is not in [amqp] publishers");
/// The beginnings of the names of the methods that every message may call: those that the platform made topics of.
const TOPICS: [&str; 2] = ["status.", "broadcast."];
/// The dialect in the origin of messages.
const BROKER: &str = "broker";

/// Calls methods for messages.
pub(super) struct MessageHandler {
    methods: Arc<dyn Dispatch>,
    /// The registered names of the methods that messages may call beside [`TOPICS`].
    allowed: Vec<&'static str>,
    /// The users of the broker whose messages are called; empty = all.
    publishers: Vec<String>,
    queue: String,
    points: PointLimits,
    pub(super) clock: Clock,
    ids: RequestIds,
}

/// The parameters in a message's body; `None` unless it is a JSON object.
pub(super) fn parameters(body: &[u8]) -> Option<Parameters<'static>> {
    json::read(body)
}

/// What identifies a message with these parameters; `None` if its publisher gave it no id.
fn message_id(message: &Message, parameters: &Parameters<'_>) -> Option<MessageId> {
    let properties = &message.properties;
    Some(MessageId {
        publisher: text(properties.app_id()).unwrap_or_default(),
        id: text(properties.message_id())?,
        content: parameters.canonical(),
        redelivered: message.redelivered,
    })
}

fn signed_body(message: &Message) -> Option<SignedBody> {
    let headers = message.properties.headers().as_ref()?;
    let mut headers = headers.inner().iter();
    let named = headers.find(|(name, _)| name.as_str().eq_ignore_ascii_case(BODY_SIGNATURE));
    let signature = match named?.1 {
        AMQPValue::LongString(text) => text.as_bytes(),
        AMQPValue::ShortString(text) => text.as_str().as_bytes(),
        AMQPValue::ByteArray(bytes) => bytes.as_slice(),
        _ => return None,
    };
    Some(SignedBody {
        bytes: message.data.clone(),
        signature: String::from_utf8(signature.to_vec()).ok()?,
    })
}

impl MessageHandler {
    /// Calls `methods` for the messages of the configured queue.
    pub fn new(methods: Arc<dyn Dispatch>, config: &config::Amqp, clock: Clock) -> MessageHandler {
        let allowed = config.methods.iter();
        MessageHandler {
            allowed: allowed
                .filter_map(|name| methods.registered(name))
                .collect(),
            methods,
            publishers: config.publishers.clone(),
            queue: config.queue.clone(),
            points: PointLimits {
                per_request: None,
                per_day: config.max_points_per_day,
            },
            clock,
            ids: RequestIds::start(),
        }
    }

    /// The registered name of a message's method, for the log; `-` for an unknown one.
    pub fn method(&self, message: &Message) -> &'static str {
        let registered = self.methods.registered(message.routing_key.as_str());
        registered.unwrap_or("-")
    }

    /// A new request id; each attempt at a message gets one of its own.
    pub fn request_id(&self) -> RequestId {
        self.ids.next()
    }

    /// Calls the method of a message, and gives the names of the parameters that it skipped because it could not read them. The
    /// changes of a successful call are durable.
    ///
    /// # Errors
    /// Returns a fault for a message that no retry can make valid, otherwise [`CallError::Busy`] or [`CallError::Internal`].
    pub async fn call(
        &self,
        message: &Message,
        parameters: Option<&Parameters<'_>>,
        request_id: RequestId,
    ) -> Result<Vec<&'static str>, CallError> {
        if !self.is_accepted(message) {
            return Err(UNKNOWN_PUBLISHER.into());
        }
        let method = message.routing_key.as_str();
        let registered = self.methods.registered(method);
        if registered.is_some_and(|name| !self.may_call(name)) {
            return Err(FORBIDDEN.into());
        }
        let no_parameters = Parameters::default();
        let parameters = match (parameters, registered) {
            (Some(parameters), _) => parameters,
            (None, Some(_)) => return Err(NOT_AN_OBJECT.into()),
            // The dispatcher answers an unknown method before it looks at parameters.
            (None, None) => &no_parameters,
        };
        let context = Context {
            request_id,
            origin: Origin {
                dialect: BROKER,
                caller: self.caller(message),
                key: None,
                address: None,
            },
            now: self.clock.now(),
            points: self.points,
            details: Delivery {
                message: message_id(message, parameters),
                signed_body: signed_body(message),
            },
        };
        let calling = self.methods.dispatch(method, parameters, context);
        calling.await.map(|reply| reply.skipped)
    }

    /// Whether the user who published a message is accepted. The broker has compared `user_id` with the user of the connection.
    fn is_accepted(&self, message: &Message) -> bool {
        let user = text(message.properties.user_id());
        let is_user = |accepted: &String| Some(accepted) == user.as_ref();
        self.publishers.is_empty() || self.publishers.iter().any(is_user)
    }

    fn may_call(&self, method: &str) -> bool {
        TOPICS.iter().any(|topic| method.starts_with(topic)) || self.allowed.contains(&method)
    }

    /// The caller of a message: `QUEUE`, or `QUEUE:APP_ID` if the publisher set one.
    fn caller(&self, message: &Message) -> String {
        match text(message.properties.app_id()) {
            Some(publisher) => format!("{}:{publisher}", self.queue),
            None => self.queue.clone(),
        }
    }
}

/// A property as text; `None` if it is absent or empty.
fn text(property: &Option<lapin::types::ShortString>) -> Option<String> {
    let text = property.as_ref()?.as_str();
    (!text.is_empty()).then(|| text.to_owned())
}
