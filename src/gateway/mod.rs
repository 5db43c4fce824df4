//! The spine: open → find → read parameters → call → seal. It names no dialect, no method and no ledger.

pub mod dialect;
pub mod fault;
mod json;
pub mod method;
pub mod params;
pub mod registry;

use std::time::Duration;

use dialect::{Dialect, Request, Sealed};
use fault::Failure;
use registry::Registry;

/// An answer, and the name of the method that gave it, for the log.
#[derive(Clone, Debug)]
pub struct Served {
    /// The answer.
    pub sealed: Sealed,
    /// The method's registered name, never what a stranger wrote.
    pub method: &'static str,
}

/// Answers one request; whatever happens, in the dialect's envelope and within `limit`.
pub async fn serve(
    dialect: &dyn Dialect,
    registry: &Registry,
    request: Request<'_>,
    limit: Duration,
) -> Served {
    let mut method = "-";
    let outcome = async {
        let call = dialect.open(&request)?;
        let entry = call.method.as_deref().and_then(|name| registry.find(name));
        let Some(entry) = entry else {
            return Err(dialect.no_method(call.method.as_deref()).into());
        };
        method = entry.name;
        let calling = entry.call(&call.parameters, &|name| dialect.too_long(name));
        match tokio::time::timeout(limit, calling).await {
            Ok(outcome) => outcome,
            Err(_) => {
                log::error!("{method} took longer than {limit:?}");
                Err(Failure::Internal)
            }
        }
    }
    .await;
    Served {
        sealed: dialect.seal(outcome),
        method,
    }
}
