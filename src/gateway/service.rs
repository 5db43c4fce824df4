//! A dialect at work: open → find → permit → read parameters → call → seal.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::context::{Context, Delivery, Origin};
use super::dialect::{BodyError, Call, Dialect, Request};
use super::endpoint::{Answered, Dispatch, Handler};
use super::fault::CallError;
use super::parameters::Parameters;
use super::registry::Registry;
use super::reply::{BoxFuture, Reply};

/// A dialect with its methods and what they work on.
pub struct Service<D: Dialect, S> {
    /// Its name, for origins.
    pub name: &'static str,
    /// The wire protocol.
    pub dialect: D,
    /// The methods.
    pub methods: Arc<Registry<S, D::Details>>,
    /// What the methods work on.
    pub state: S,
    /// How long one call may take.
    pub timeout: Duration,
    /// Hands out the methods to the broker; `None` where they are not called by messages.
    pub dispatcher: Option<IntoDispatch<D, S>>,
}

/// Turns a service into the broker's way to its methods.
pub type IntoDispatch<D, S> = fn(Arc<Service<D, S>>) -> Arc<dyn Dispatch>;

/// The method's name where there is none.
const NO_METHOD: &str = "-";

impl<D: Dialect, S: Send + Sync + 'static> Service<D, S> {
    /// Opens a request and calls its method, whose registered name goes into `method`.
    async fn call(
        &self,
        request: &Request<'_>,
        method: &mut &'static str,
    ) -> Result<Reply, CallError> {
        let Call {
            method: named,
            parameters,
            caller,
            key,
            details,
        } = self.dialect.open(request)?;
        let entry = named.as_deref().and_then(|name| self.methods.find(name));
        let Some(entry) = entry else {
            return Err(self.dialect.unknown_method(named.as_deref()).into());
        };
        *method = entry.name;
        self.dialect.permit(&details, entry.name)?;
        let context = Context {
            request_id: request.id.clone(),
            origin: Origin {
                dialect: self.name,
                caller,
                key,
                address: match request.addresses {
                    [address] => Some(*address),
                    _ => None,
                },
            },
            now: request.now,
            details,
        };
        let calling = entry.call(&self.state, &parameters, &self.dialect, context);
        self.bounded(entry.name, calling).await
    }

    /// Ends a call that takes too long or panics.
    async fn bounded(
        &self,
        method: &'static str,
        calling: BoxFuture<'_, Result<Reply, CallError>>,
    ) -> Result<Reply, CallError> {
        let caught = AssertUnwindSafe(calling).catch_unwind();
        match tokio::time::timeout(self.timeout, caught).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => {
                log::error!("{method} panicked");
                Err(CallError::Internal)
            }
            Err(_) => {
                log::error!("{method} took longer than {:?}", self.timeout);
                Err(CallError::Internal)
            }
        }
    }
}

impl<D: Dialect, S: Send + Sync + 'static> Handler for Service<D, S> {
    fn answer<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Answered> {
        Box::pin(async move {
            let mut method = NO_METHOD;
            let outcome = self.call(&request, &mut method).await;
            Answered {
                answer: self.dialect.seal(outcome),
                method,
            }
        })
    }

    fn unreadable_body(&self, error: BodyError) -> Answered {
        Answered {
            answer: self.dialect.unreadable_body(error),
            method: NO_METHOD,
        }
    }

    fn dispatcher(self: Arc<Self>) -> Option<Arc<dyn Dispatch>> {
        self.dispatcher.map(|dispatcher| dispatcher(self))
    }
}

impl<D: Dialect<Details = Delivery>, S: Send + Sync + 'static> Dispatch for Service<D, S> {
    fn registered(&self, method: &str) -> Option<&'static str> {
        self.methods.find(method).map(|entry| entry.name)
    }

    fn dispatch<'a>(
        &'a self,
        method: &str,
        parameters: &Parameters,
        context: Context<Delivery>,
    ) -> BoxFuture<'a, Result<Reply, CallError>> {
        let Some(entry) = self.methods.find(method) else {
            let fault = self.dialect.unknown_method(Some(method));
            return Box::pin(async move { Err(fault.into()) });
        };
        let calling = entry.call(&self.state, parameters, &self.dialect, context);
        Box::pin(self.bounded(entry.name, calling))
    }
}
