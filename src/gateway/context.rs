//! The context of a call: which request it answers, who sent that, and when it arrived. It goes down to every method, whichever
//! way the call came: over HTTP, from the message broker, or from a command.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use ipnet::IpNet;

tokio::task_local! {
    static LOGGED: RequestId;
}

/// Names one request in its answer, in the log, and in the ledger.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

/// The longest request id that is taken over from a proxy, in bytes.
const LONGEST_ID: usize = 64;

impl RequestId {
    /// Takes over a text; `None` unless it is 1 to 64 ASCII letters, digits, `.`, `_` or `-`, which are safe in a log and a header.
    pub fn new(text: &str) -> Option<RequestId> {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let good = (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(safe);
        good.then(|| RequestId(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// Runs a future whose log lines carry this id: see [`RequestId::current`].
    pub async fn scope<T>(&self, future: impl Future<Output = T>) -> T {
        LOGGED.scope(self.clone(), future).await
    }

    /// The id of the request that the running task answers, for the log; `None` outside of one.
    pub fn current() -> Option<RequestId> {
        LOGGED.try_with(RequestId::clone).ok()
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

/// Makes request ids that no other start of the program makes.
#[derive(Debug)]
pub struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Starts a new series.
    pub fn start() -> RequestIds {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default();
        // It need not be random, only different after each start.
        let process =
            since.subsec_nanos() ^ since.as_secs() as u32 ^ std::process::id().rotate_left(16);
        RequestIds {
            process,
            next: AtomicU64::new(1),
        }
    }

    /// Makes the next id.
    pub fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:08x}-{number:x}", self.process).into())
    }
}

/// Who sent a request, and how that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The endpoint, or `broker`, or `cli`.
    pub dialect: &'static str,
    /// The authenticated caller: a client_type, an OpenId, an appKey, a queue and publisher, an operating-system user.
    pub caller: String,
    /// Which of the caller's keys signed: `current`, `previous`; `debug` for QA's word; `None` where nothing is signed.
    pub key: Option<&'static str>,
    /// The client's address; `None` where it is not known, or where proxies disagree on it.
    pub address: Option<IpAddr>,
}

/// What a method knows of the call beside its parameters. `D` is what the dialect adds.
#[derive(Clone, Debug)]
pub struct Context<D = ()> {
    /// The request.
    pub request_id: RequestId,
    /// Its sender.
    pub origin: Origin,
    /// When it arrived (ms since 1970 UTC).
    pub now: i64,
    /// The dialect's own part: a partner's nonce, a message's id.
    pub details: D,
}

/// How a call of `/gateway`'s methods was delivered: they come over HTTP and from the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The sender's own name for the request, under which it may come again: a message's id. `None` over HTTP.
    pub message_id: Option<String>,
    /// The body as it came and its signature, for a method that verifies its sender itself.
    pub signed_body: Option<SignedBody>,
}

/// A body with a signature beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBody {
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// What the signature's header holds; empty where it is missing.
    pub signature: String,
}

/// Whether a client whose address is one of these is surely within these networks.
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
