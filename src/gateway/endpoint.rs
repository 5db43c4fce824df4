//! An endpoint: a dialect with its paths and methods behind one object-safe trait. The server, `pointgate sign`, `methods` and
//! `check-config`, and the metrics go over a list of endpoints and know none of them by name.

use std::sync::Arc;

use super::context::{Context, Delivery};
use super::description::Description;
use super::dialect::{Answer, BodyError, Request};
use super::fault::CallError;
use super::parameters::Parameters;
use super::reply::{BoxFuture, Reply};

/// A path under which an endpoint is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path: `/gateway`.
    pub path: &'static str,
    /// The HTTP methods that it answers; empty = all of them, a wrong one in the envelope.
    pub methods: &'static [&'static str],
}

/// An endpoint as it is configured. It describes itself without a ledger or a clock; `S` is what it needs to serve.
pub trait Endpoint<S>: Send + Sync {
    /// Its name: in `pointgate sign NAME`, in the metrics' label `dialect`, in a call's origin.
    fn name(&self) -> &'static str;

    /// Its paths.
    fn routes(&self) -> Vec<Route>;

    /// Its methods, for documentation.
    fn methods(&self) -> Vec<Description>;

    /// Signs a sample call with a configured key.
    ///
    /// # Errors
    /// Returns the reason in words if no configured key fits.
    fn sign(&self, sample: Sample) -> Result<SignedRequest, String>;

    /// What the configuration comes to, in one line, for `check-config`.
    fn summary(&self) -> String;

    /// Makes it ready to serve.
    fn start(&self, services: &S) -> Arc<dyn Handler>;
}

/// An endpoint at work.
pub trait Handler: Send + Sync {
    /// Answers a request, whatever happens, in the dialect's envelope.
    fn answer<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Answered>;

    /// The answer to a request without a readable body.
    fn unreadable_body(&self, error: BodyError) -> Answered;

    /// Its methods for messages of the broker; `None` where they are not called by messages.
    fn dispatcher(self: Arc<Self>) -> Option<Arc<dyn Dispatch>> {
        None
    }
}

/// An answer, and what the log and the metrics say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The method's registered name, never what a stranger wrote; `-` where there is none.
    pub method: &'static str,
}

/// Calls methods by name for a sender that has its own transport.
pub trait Dispatch: Send + Sync {
    /// The registered name of a method, under which the log and the metrics know it.
    fn registered(&self, method: &str) -> Option<&'static str>;

    /// Calls a method. What has succeeded is on disk.
    fn dispatch<'a>(
        &'a self,
        method: &str,
        parameters: &Parameters,
        context: Context<Delivery>,
    ) -> BoxFuture<'a, Result<Reply, CallError>>;
}

/// A call to be signed.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The method; `None` where the parameters tell.
    pub method: Option<String>,
    /// Its parameters.
    pub parameters: Vec<(String, String)>,
    /// The caller whose key signs; `None` = the first configured.
    pub caller: Option<String>,
    /// The time (s since 1970 UTC).
    pub now: i64,
}

/// A request with a good signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// Path and query: `/gateway?…`.
    pub target: String,
    /// A JSON body, which is POSTed; `None` = GET.
    pub json: Option<String>,
}

impl SignedRequest {
    /// A line for curl; `base` is `http://HOST:PORT`.
    pub fn curl(&self, base: &str) -> String {
        match &self.json {
            None => format!("curl '{base}{}'", self.target),
            Some(json) => {
                // A shell takes everything between single quotes as it is, except the quote itself.
                let json = json.replace('\'', "'\\''");
                let target = &self.target;
                format!("curl '{base}{target}' -H 'Content-Type: application/json' -d '{json}'")
            }
        }
    }
}
