//! A message → a call of its method.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lapin::message::Delivery;

use crate::gateway::dialect::{Dialect, Sent};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::RegisteredMethod;
use crate::gateway::params::Parameters;
use crate::gateway::registry::Registry;

const NO_OBJECT: Fault = Fault::new(400, "the body is no JSON object");

/// The methods, and how they are called.
pub(super) struct Work {
    dialect: Arc<dyn Dialect<Caller = Sent>>,
    methods: Arc<Registry<Sent>>,
    within: Duration,
}

/// The parameters in a message's body; none where it is no JSON object.
pub(super) fn parameters(body: &[u8]) -> Option<Parameters> {
    serde_json::from_slice(body).ok()
}

/// What signs the body of a message whose method is signed otherwise than its dialect: the header that HTTP has for it.
fn signature(delivery: &Delivery) -> Option<String> {
    let headers = delivery.properties.headers().as_ref()?;
    let signature = headers.inner().get("X-Pingplusplus-Signature")?;
    let text = signature.as_long_string()?.as_bytes();
    String::from_utf8(text.to_vec()).ok()
}

impl Work {
    /// Over these methods, with the dialect's refusals.
    pub fn new(
        dialect: Arc<dyn Dialect<Caller = Sent>>,
        methods: Arc<Registry<Sent>>,
        within: Duration,
    ) -> Work {
        Work {
            dialect,
            methods,
            within,
        }
    }

    /// The registered name of the method that a message names, for the log; "-" where there is none.
    pub fn name(&self, delivery: &Delivery) -> &'static str {
        let entry = self.methods.find(delivery.routing_key.as_str());
        entry.map_or("-", |entry| entry.name)
    }

    /// Calls the method. What has succeeded is on disk.
    pub async fn call(
        &self,
        delivery: &Delivery,
        parameters: Option<&Parameters>,
    ) -> Result<(), CallError> {
        let named = delivery.routing_key.as_str();
        let Some(entry) = self.methods.find(named) else {
            return Err(self.dialect.no_method(Some(named)).into());
        };
        let parameters = parameters.ok_or(NO_OBJECT)?;
        let id = delivery.properties.message_id().as_ref();
        let id = id.map(|id| id.as_str()).filter(|id| !id.is_empty());
        let sent = Sent {
            id: id.map(str::to_owned),
            raw: signature(delivery).map(|signature| (delivery.data.clone(), signature)),
        };
        self.bounded(entry, parameters, sent).await
    }

    /// Whatever happens in the method, its lane goes on.
    async fn bounded(
        &self,
        entry: &RegisteredMethod<Sent>,
        parameters: &Parameters,
        sent: Sent,
    ) -> Result<(), CallError> {
        let calling = async { entry.call(parameters, &*self.dialect, sent).await };
        let caught = AssertUnwindSafe(calling).catch_unwind();
        match tokio::time::timeout(self.within, caught).await {
            Ok(Ok(outcome)) => outcome.map(drop),
            Ok(Err(_)) => {
                log::error!("{} panicked over a message", entry.name);
                Err(CallError::Internal)
            }
            Err(_) => {
                log::error!("{} took longer than {:?}", entry.name, self.within);
                Err(CallError::Internal)
            }
        }
    }
}
