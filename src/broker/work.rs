//! A message → a call of the method that its routing key names.

use std::sync::Arc;

use lapin::message::Delivery as Message;

use crate::clock::Clock;
use crate::gateway::context::{Context, Delivery, Origin, RequestId, RequestIds, SignedBody};
use crate::gateway::endpoint::Dispatch;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::parameters::Parameters;

const NO_OBJECT: Fault = Fault::new(400, "the body is no JSON object");
/// The origin of messages.
const BROKER: &str = "broker";
/// The header under which HTTP has the signature of a body, for a method that verifies its sender itself.
const BODY_SIGNATURE: &str = "X-Pingplusplus-Signature";

/// Calls methods for messages.
pub(super) struct Work {
    methods: Arc<dyn Dispatch>,
    queue: String,
    clock: Clock,
    ids: RequestIds,
}

/// The parameters in a message's body; `None` unless it is a JSON object.
pub(super) fn parameters(body: &[u8]) -> Option<Parameters> {
    serde_json::from_slice(body).ok()
}

fn signed_body(message: &Message) -> Option<SignedBody> {
    let headers = message.properties.headers().as_ref()?;
    let signature = headers.inner().get(BODY_SIGNATURE)?;
    let signature = signature.as_long_string()?.as_bytes();
    Some(SignedBody {
        bytes: message.data.clone(),
        signature: String::from_utf8(signature.to_vec()).ok()?,
    })
}

impl Work {
    /// Calls these methods for the messages of a queue.
    pub fn new(methods: Arc<dyn Dispatch>, queue: &str, clock: Clock) -> Work {
        Work {
            methods,
            queue: queue.to_owned(),
            clock,
            ids: RequestIds::start(),
        }
    }

    /// The registered name of the method that a message names, for the log; `-` for an unknown one.
    pub fn name(&self, message: &Message) -> &'static str {
        let registered = self.methods.registered(message.routing_key.as_str());
        registered.unwrap_or("-")
    }

    /// A new request id, under which one attempt at a message is logged.
    pub fn request_id(&self) -> RequestId {
        self.ids.next()
    }

    /// Calls the method. What has succeeded is on disk.
    pub async fn call(
        &self,
        message: &Message,
        parameters: Option<&Parameters>,
        request_id: RequestId,
    ) -> Result<(), CallError> {
        let method = message.routing_key.as_str();
        let nothing = Parameters::default();
        let parameters = match (parameters, self.methods.registered(method)) {
            (Some(parameters), _) => parameters,
            (None, Some(_)) => return Err(NO_OBJECT.into()),
            // The method's absence is the first thing to be told.
            (None, None) => &nothing,
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
            details: Delivery {
                message_id: text(message.properties.message_id()),
                signed_body: signed_body(message),
            },
        };
        let calling = self.methods.dispatch(method, parameters, context);
        calling.await.map(drop)
    }

    /// The queue, and the publisher's `app_id` where it gives one.
    fn caller(&self, message: &Message) -> String {
        match text(message.properties.app_id()) {
            Some(publisher) => format!("{}:{publisher}", self.queue),
            None => self.queue.clone(),
        }
    }
}

/// A property that is not empty.
fn text(property: &Option<lapin::types::ShortString>) -> Option<String> {
    let text = property.as_ref()?.as_str();
    (!text.is_empty()).then(|| text.to_owned())
}
