//! The context of a call: its request id, its sender, and the time of its arrival. Every method gets one, whether the call came
//! over HTTP, from the message broker, or from a command.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use ipnet::IpNet;

pub use crate::origin::Origin;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Identifies one request in its answer, in the log, and in the ledger.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

/// The longest request id that a proxy may give (bytes).
const MAX_ID_LENGTH: usize = 64;

impl RequestId {
    /// Accepts an id from outside; `None` unless it is 1 to 64 ASCII letters, digits, `.`, `_` or `-`, which are safe in a log line
    /// and in a header.
    pub fn new(text: &str) -> Option<RequestId> {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let good = (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(safe);
        good.then(|| RequestId(text.into()))
    }

    /// The id as the answer's header shows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// Runs a future under this id, which [`RequestId::current`] returns inside it and each of its log lines carries.
    pub async fn scope<T>(&self, future: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), future).await
    }

    /// The id under which the current task runs; `None` outside a [`RequestId::scope`].
    pub fn current() -> Option<RequestId> {
        CURRENT.try_with(RequestId::clone).ok()
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Generates request ids that differ between starts of the program: `PROCESS-NUMBER` in hexadecimal.
#[derive(Debug)]
pub struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Starts a new series of ids.
    pub fn start() -> RequestIds {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default();
        // Uniqueness between starts is enough; nobody relies on ids being unpredictable.
        let process =
            since.subsec_nanos() ^ since.as_secs() as u32 ^ std::process::id().rotate_left(16);
        RequestIds {
            process,
            next: AtomicU64::new(1),
        }
    }

    /// Generates the next id.
    pub fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:08x}-{number:x}", self.process).into())
    }
}

/// Bounds the points that a caller may give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointLimits {
    /// The most points that one request may give; `None` = no limit.
    pub per_request: Option<i64>,
    /// The most points that all requests of a day may give together; `None` = no limit.
    pub per_day: Option<i64>,
}

/// What a method gets beside its parameters. `D` is the part that only its dialect has.
#[derive(Clone, Debug)]
pub struct Context<D = ()> {
    /// The id of the request, for the log and the ledger.
    pub request_id: RequestId,
    /// The sender of the request.
    pub origin: Origin,
    /// When it arrived (ms since 1970 UTC).
    pub now: i64,
    /// Bounds the points that the call may give.
    pub points: PointLimits,
    /// The dialect's own part, such as a partner's nonce or a message's id.
    pub details: D,
}

/// The delivery of a call to a method of `/gateway`, over HTTP or from the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// What identifies a message; `None` over HTTP, and for a message without an id.
    pub message: Option<MessageId>,
    /// The body with its signature, for a [`SelfVerifying`] method.
    pub signed_body: Option<SignedBody>,
}

/// What identifies a message of the broker. A redelivery has the same publisher, id and content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageId {
    /// The `app_id` of the publisher; empty if it set none.
    pub publisher: String,
    /// The id, which the publisher gave.
    pub id: String,
    /// The parameters, among them the user, as [`Parameters::canonical`](super::parameters::Parameters::canonical) writes them.
    pub content: String,
    /// Whether the broker says that it has delivered the message before.
    pub redelivered: bool,
}

/// The header with the signature over the body, of a request or of a message. Its name is case-insensitive.
pub const BODY_SIGNATURE: &str = "x-pingplusplus-signature";

/// A body and the signature over it, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBody {
    /// The received bytes, unchanged.
    pub bytes: Vec<u8>,
    /// The value of the signature header; empty if the header is missing.
    pub signature: String,
}

/// A method that verifies its sender itself, by a signature over the body. The dialect does not authenticate its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfVerifying {
    /// The method's name on the wire.
    pub method: &'static str,
    /// The only legitimate sender, which becomes the call's [`Origin::caller`].
    pub sender: &'static str,
}

/// Whether all possible addresses of a client are within these networks; `false` for a client without an address.
pub fn within(addresses: &[IpAddr], networks: &[IpNet]) -> bool {
    let inside = |address: &IpAddr| {
        let address = address.to_canonical();
        networks.iter().any(|network| network.contains(&address))
    };
    !addresses.is_empty() && addresses.iter().all(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_is_safe_to_log() {
        for good in ["a", "00-4bf92f3577b34da6a3ce929d0e0e4736", "A.b_c-1"] {
            assert_eq!(RequestId::new(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(65);
        for bad in ["", "a b", "a\nb", "é", "a=\"b\"", &long] {
            assert_eq!(RequestId::new(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_log_line_knows_its_request() {
        let id = RequestId::new("r1").unwrap();
        assert_eq!(RequestId::current(), None);
        let seen = id.scope(async { RequestId::current() }).await;
        assert_eq!(seen, Some(id));
    }
}
