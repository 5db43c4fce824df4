//! Serves a dialect: open → find → check permissions → read parameters → call → seal.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::context::PointLimits;
use super::context::{Context, Delivery, Origin};
use super::dialect::{Call, Dialect, Request, RequestError};
use super::endpoint::{Answered, Dispatch, Handler};
use super::fault::CallError;
use super::method::CalledBy;
use super::parameters::Parameters;
use super::registry::Registry;
use super::reply::{BoxFuture, Reply};

/// The handler of a dialect's requests: the dialect, its methods, and what they work on.
pub struct Service<D: Dialect, S> {
    /// The endpoint's name, for [`Origin::dialect`].
    pub name: &'static str,
    /// The wire protocol.
    pub dialect: D,
    /// The methods that the dialect can call.
    pub methods: Arc<Registry<S, D::Details>>,
    /// What the methods work on.
    pub state: S,
    /// The limit on the time of one call, after which it answers [`CallError::Internal`].
    pub timeout: Duration,
    /// Gives the broker access to the methods; `None` if messages cannot call them.
    pub dispatcher: Option<IntoDispatch<D, S>>,
}

/// Erases the types of a service, for the broker.
pub type IntoDispatch<D, S> = fn(Arc<Service<D, S>>) -> Arc<dyn Dispatch>;

/// Stands for the method in the log and the metrics if a request reached none.
const NO_METHOD: &str = "-";

impl<D: Dialect, S: Send + Sync + 'static> Service<D, S> {
    /// Opens a request and calls its method, whose registered name goes into `method`.
    async fn call(
        &self,
        request: &Request<'_>,
        method: &mut &'static str,
    ) -> Result<Reply, CallError> {
        let Call {
            method: name,
            parameters,
            caller,
            key,
            permissions,
            details,
        } = self.dialect.open(request)?;
        let found = name.as_deref().and_then(|name| self.methods.find(name));
        let Some(registered) = found else {
            return Err(self.dialect.unknown_method(name.as_deref()).into());
        };
        *method = registered.name;
        if let Some(permissions) = &permissions {
            let checked = permissions.check(registered.name, request.addresses);
            checked.map_err(|refusal| self.dialect.refused(refusal))?;
        }
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
            points: permissions.map_or_else(PointLimits::default, |it| it.points()),
            details,
        };
        let (faults, caller) = (&self.dialect, CalledBy::Client);
        let calling = registered.call(&self.state, &parameters, faults, caller, context);
        self.guard(registered.name, calling).await
    }

    /// Answers [`CallError::Internal`] for a call that exceeds the time limit or panics.
    async fn guard(
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
                log::error!("{method} timed out after {:?}", self.timeout);
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
                answer: self.dialect.seal(outcome, request.now),
                method,
            }
        })
    }

    fn refuse_request(&self, error: RequestError) -> Answered {
        Answered {
            answer: self.dialect.refuse_request(error),
            method: NO_METHOD,
        }
    }

    fn max_body(&self, query: &str) -> usize {
        self.dialect.max_body(query)
    }

    fn dispatcher(self: Arc<Self>) -> Option<Arc<dyn Dispatch>> {
        self.dispatcher.map(|dispatcher| dispatcher(self))
    }
}

impl<D: Dialect<Details = Delivery>, S: Send + Sync + 'static> Dispatch for Service<D, S> {
    fn registered(&self, method: &str) -> Option<&'static str> {
        self.methods.find(method).map(|registered| registered.name)
    }

    fn dispatch<'a>(
        &'a self,
        method: &str,
        parameters: &Parameters<'_>,
        context: Context<Delivery>,
    ) -> BoxFuture<'a, Result<Reply, CallError>> {
        let Some(registered) = self.methods.find(method) else {
            let fault = self.dialect.unknown_method(Some(method));
            return Box::pin(async move { Err(fault.into()) });
        };
        let (faults, caller) = (&self.dialect, CalledBy::Message);
        let calling = registered.call(&self.state, parameters, faults, caller, context);
        Box::pin(self.guard(registered.name, calling))
    }
}
