//! The spine: open → find → permit → read parameters → call → seal. It names no dialect, no method and no ledger.

pub mod dialect;
pub mod fault;
pub mod form;
mod json;
pub mod method;
pub mod params;
pub mod registry;
mod value;

use std::time::Duration;

use dialect::{Call, Dialect, Request, Sealed};
use fault::CallError;
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
pub async fn serve<D: Dialect>(
    dialect: &D,
    registry: &Registry<D::Caller>,
    request: Request<'_>,
    limit: Duration,
) -> Served {
    let mut method = "-";
    let outcome = async {
        let Call {
            method: named,
            caller,
            parameters,
        } = dialect.open(&request)?;
        let entry = named.as_deref().and_then(|name| registry.find(name));
        let Some(entry) = entry else {
            return Err(dialect.no_method(named.as_deref()).into());
        };
        method = entry.name;
        dialect.permit(&caller, method)?;
        let calling = entry.call(&parameters, dialect, caller);
        match tokio::time::timeout(limit, calling).await {
            Ok(outcome) => outcome,
            Err(_) => {
                log::error!("{method} took longer than {limit:?}");
                Err(CallError::Internal)
            }
        }
    }
    .await;
    Served {
        sealed: dialect.seal(outcome),
        method,
    }
}
