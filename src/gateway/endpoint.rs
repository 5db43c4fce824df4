//! An endpoint: a dialect with its paths and methods behind one object-safe trait. The server, the metrics and the commands `sign`,
//! `methods` and `check-config` iterate over a list of endpoints and know none of them by name.

use std::sync::Arc;

use super::context::{Context, Delivery};
use super::description::Description;
use super::dialect::{Answer, Request, RequestError};
use super::fault::CallError;
use super::parameters::Parameters;
use super::reply::{BoxFuture, Reply};

/// A path under which an endpoint is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The absolute path, such as `/gateway`.
    pub path: &'static str,
    /// The HTTP methods that it serves; HEAD comes with GET.
    pub methods: &'static [&'static str],
}

/// A configured endpoint. It describes itself without a ledger or a clock; only [`Endpoint::start`] needs the services `S`.
pub trait Endpoint<S>: Send + Sync {
    /// The name in `pointgate sign NAME`, in the metrics' label `dialect`, and in a call's origin.
    fn name(&self) -> &'static str;

    /// The paths under which the endpoint is served.
    fn routes(&self) -> Vec<Route>;

    /// The descriptions of its methods, for `pointgate methods`.
    fn methods(&self) -> Vec<Description>;

    /// Signs a sample call with a configured key.
    ///
    /// # Errors
    /// Returns a message for the user if no configured key can sign for the sample's caller.
    fn sign(&self, sample: Sample) -> Result<SignedRequest, String>;

    /// Its configuration in one line, for `pointgate check-config`.
    fn summary(&self) -> String;

    /// Builds the handler that answers its requests.
    fn start(&self, services: &S) -> Arc<dyn Handler>;
}

/// A started endpoint.
pub trait Handler: Send + Sync {
    /// Answers a request in the dialect's envelope, errors included.
    fn answer<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Answered>;

    /// The answer to a request that is refused before its dialect reads it.
    fn refuse_request(&self, error: RequestError) -> Answered;

    /// The largest body (bytes) of a request with this query.
    fn max_body(&self, query: &str) -> usize;

    /// Gives the broker access to the methods; `None` if messages cannot call them.
    fn dispatcher(self: Arc<Self>) -> Option<Arc<dyn Dispatch>> {
        None
    }
}

/// An answer with the method that gave it, for the log and the metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The answer for the client.
    pub answer: Answer,
    /// The registered name of the method, never text from the request; `-` if the request reached no method.
    pub method: &'static str,
}

/// Calls methods by name for a transport that needs no envelope: the message broker.
pub trait Dispatch: Send + Sync {
    /// Resolves a name or alias to the method's registered name, for the log; `None` for an unknown method.
    fn registered(&self, method: &str) -> Option<&'static str>;

    /// Calls a method. The changes of a successful call are durable.
    fn dispatch<'a>(
        &'a self,
        method: &str,
        parameters: &Parameters<'_>,
        context: Context<Delivery>,
    ) -> BoxFuture<'a, Result<Reply, CallError>>;
}

/// A call that `pointgate sign` signs.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The method; `None` if the parameters determine it.
    pub method: Option<String>,
    /// Names and values of the parameters, not encoded.
    pub parameters: Vec<(String, String)>,
    /// The caller whose key signs; `None` = the first configured one.
    pub caller: Option<String>,
    /// The time of signing (s since 1970 UTC).
    pub now: i64,
}

/// A request with a valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// Path and query, such as `/gateway?…`.
    pub target: String,
    /// The JSON body of a POST; `None` = a GET.
    pub json: Option<String>,
}

impl SignedRequest {
    /// The request as a curl command; `base` is `http://HOST:PORT`.
    pub fn curl(&self, base: &str) -> String {
        match &self.json {
            None => format!("curl '{base}{}'", self.target),
            Some(json) => {
                // Inside single quotes, a shell treats only the single quote specially.
                let json = json.replace('\'', "'\\''");
                let target = &self.target;
                format!("curl '{base}{target}' -H 'Content-Type: application/json' -d '{json}'")
            }
        }
    }
}
