//! The YOHO dialect, by protocols.md part 1: the request signature `client_secret`, its bypass for testers, the sealed response.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::IpNet;
use prometheus_client::metrics::counter::Counter;

use super::canonical::{Canonical, Trim};
use super::client::Client;
use super::{query, response};
use crate::config::{self, Limits, Salt};
use crate::gateway::context::{BODY_SIGNATURE, Delivery, SelfVerifying, SignedBody, within};
use crate::gateway::dialect::{Answer, Call, Dialect, Request, RequestError};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::json;
use crate::gateway::keys::KeyRegister;
use crate::gateway::metrics::Metrics;
use crate::gateway::parameters::Pair;
use crate::gateway::params::ParameterFaults;
use crate::gateway::permissions::{Permissions, Refusal};
use crate::gateway::reply::Reply;
use crate::points::permissions;

const NO_SECRET: Fault = Fault::new(500, "缺少client_secret");
const UNKNOWN_PLATFORM: Fault = Fault::new(500, "不接受此平台");
const FORGED: Fault = Fault::new(500, "数据验证错误.");
const MALFORMED: Fault = Fault::new(500, "参数格式不对");
const NO_METHOD: Fault = Fault::new(501, "缺少method");
const UNKNOWN_METHOD: Fault = Fault::new(501, "method不存在");
const FORBIDDEN: Fault = Fault::new(506, "无权调用此method");
const TOO_FREQUENT: Fault = Fault::new(507, "请求过于频繁");

/// The common parameters of the document's table 公共请求参数. Its lengths bind nobody: the document's own clients send longer values.
const COMMON: [&str; 5] = [
    "client_secret",
    "app_version",
    "os_version",
    "client_type",
    "screen_size",
];

/// The largest body (bytes) of a call.
const MAX_BODY: usize = 64 << 10;
/// The largest body (bytes) of a call of a self-verifying method, such as a payment.
const MAX_SIGNED_BODY: usize = 256 << 10;

/// The dialect with its keys and salt.
#[derive(Debug)]
pub struct Yoho {
    salt: Salt,
    clients: BTreeMap<String, Client>,
    debug: Option<String>,
    debug_from: Vec<IpNet>,
    debug_permissions: Arc<Permissions>,
    debug_uses: Counter,
    self_verifying: &'static [SelfVerifying],
    known: BTreeSet<&'static str>,
}

/// Parameters that the dialect reads, beside those of [`COMMON`] and of the methods.
const DIALECT_PARAMETERS: [&str; 3] = ["method", "debug", "private_key"];

/// The client type that a request is from, the key that proved it, and what it may do.
struct Signer<'y> {
    caller: String,
    key: &'static str,
    client: Option<&'y Client>,
}

impl Yoho {
    /// Takes the keys of the configuration. Calls of the `self_verifying` methods name them in the query and pass unauthenticated,
    /// with the unchanged body and the header [`BODY_SIGNATURE`]. `parameters` are the names of all methods' parameters. The use of keys is
    /// recorded in `register` and `metrics`.
    pub fn new(
        config: &config::Yoho,
        self_verifying: &'static [SelfVerifying],
        parameters: impl IntoIterator<Item = &'static str>,
        register: &KeyRegister,
        metrics: &Metrics,
    ) -> Yoho {
        let client = |(name, client): (&String, &config::Client)| {
            (name.clone(), Client::new(name, client, register))
        };
        let help = "Requests that needed no signature because of yoho.debug";
        Yoho {
            known: DIALECT_PARAMETERS
                .into_iter()
                .chain(COMMON)
                .chain(parameters)
                .collect(),
            salt: config.salt.clone(),
            clients: config.clients.iter().map(client).collect(),
            debug: config.debug.clone(),
            debug_from: config.debug_from.clone(),
            debug_permissions: permissions(&config.debug_methods, &Limits::default()),
            debug_uses: metrics.metric("pointgate_debug_requests", help),
            self_verifying,
        }
    }

    /// The self-verifying method that the query names; `None` for every other request.
    fn self_verifying(&self, query: &[Pair<'_>]) -> Option<&SelfVerifying> {
        let (_, method) = query.iter().find(|(name, _)| name == "method")?;
        let mut known = self.self_verifying.iter();
        known.find(|known| known.method == method)
    }

    /// Whether a request passes without `client_secret`: it has the parameter `debug = yoho.debug` and comes from
    /// `yoho.debug_from`.
    fn is_debug(&self, sent: &[Pair<'_>], request: &Request<'_>) -> bool {
        let given = sent.iter().find(|(name, _)| name == "debug");
        let given = given.map(|(_, value)| &**value);
        let expected = self.debug.as_deref();
        expected.is_some() && given == expected && within(request.addresses, &self.debug_from)
    }

    /// Verifies `client_secret` over a canonical list at `now` (ms since 1970 UTC), unless `is_debug` replaces it.
    fn verify(
        &self,
        signed: &Canonical<'_>,
        is_debug: bool,
        now: i64,
    ) -> Result<Signer<'_>, Fault> {
        let client_type = signed.get("client_type").map(str::to_lowercase);
        if is_debug {
            self.debug_uses.inc();
            return Ok(Signer {
                caller: client_type.unwrap_or_default(),
                key: "debug",
                client: None,
            });
        }
        let sent = signed.get("client_secret").ok_or(NO_SECRET)?;
        let caller = client_type.ok_or(UNKNOWN_PLATFORM)?;
        let client = self.clients.get(&caller).ok_or(UNKNOWN_PLATFORM)?;
        Ok(Signer {
            caller,
            key: client.key_of(signed, sent, now).ok_or(FORGED)?,
            client: Some(client),
        })
    }

    /// Refuses what cannot verify, before it is trimmed, sorted and hashed: an unknown client type, or a `client_secret` that is no MD5.
    /// A parameter that is missing here may be there once the names are trimmed as their client trims.
    fn check_shape(&self, sent: &[Pair<'_>]) -> Result<(), Fault> {
        let first = |name: &str| {
            let found = sent.iter().find(|(given, _)| given == name);
            found.map(|(_, value)| value.trim_matches(|c| Trim::Unicode.cuts(c)))
        };
        let (Some(client_type), Some(secret)) = (first("client_type"), first("client_secret"))
        else {
            return Ok(());
        };
        if client_type.is_empty() || secret.is_empty() {
            return Ok(());
        }
        if !self.clients.contains_key(&client_type.to_lowercase()) {
            return Err(UNKNOWN_PLATFORM);
        }
        let is_md5 = secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_md5.then_some(()).ok_or(FORGED)
    }

    /// Canonicalises query and form parameters as their client trims, which only the signature tells, and verifies them.
    fn canonical<'a>(
        &self,
        sent: Vec<Pair<'a>>,
        request: &Request<'_>,
    ) -> Result<(Canonical<'a>, Signer<'_>), Fault> {
        let is_debug = self.is_debug(&sent, request);
        if !is_debug {
            self.check_shape(&sent)?;
        }
        let as_trimmed = |sent, trim| {
            let canonical = Canonical::of(sent, trim, &self.known).ok_or(FORGED)?;
            let signer = self.verify(&canonical, is_debug, request.now)?;
            Ok((canonical, signer))
        };
        // Hardly any request needs the second reading, so hardly any pays for a copy.
        let again = has_wide_space(&sent).then(|| sent.clone());
        match (as_trimmed(sent, Trim::Java), again) {
            (Err(fault), Some(again)) if fault == FORGED => as_trimmed(again, Trim::Unicode),
            (done, _) => done,
        }
    }
}

/// Whether Unicode's trim cuts more than Java's.
fn has_wide_space(sent: &[Pair<'_>]) -> bool {
    let cut = |c: char| Trim::Java.cuts(c);
    let wide = |c: char| Trim::Unicode.cuts(c) && !Trim::Java.cuts(c);
    sent.iter().any(|(name, value)| {
        name.trim_start_matches(cut).starts_with(wide)
            || value.trim_end_matches(cut).ends_with(wide)
    })
}

/// The unauthenticated call of a self-verifying method.
fn self_verifying_call<'a>(
    found: &SelfVerifying,
    query: Vec<Pair<'a>>,
    request: &Request<'_>,
) -> Call<'a, Delivery> {
    let signature = request.headers.get(BODY_SIGNATURE).unwrap_or_default();
    Call {
        method: Some(found.method.to_owned()),
        caller: found.sender.to_owned(),
        key: None,
        permissions: None,
        details: Delivery {
            message: None,
            signed_body: Some(SignedBody {
                bytes: request.body.to_vec(),
                signature: signature.to_owned(),
            }),
        },
        parameters: query.into_iter().collect(),
    }
}

impl Dialect for Yoho {
    type Details = Delivery;

    fn open<'a>(&self, request: &Request<'a>) -> Result<Call<'a, Delivery>, Fault> {
        let mut sent = query::read(request).ok_or(MALFORMED)?;
        if let Some(found) = self.self_verifying(&sent) {
            return Ok(self_verifying_call(found, sent, request));
        }
        let json = query::read_body(request, &mut sent).ok_or(MALFORMED)?;
        let (canonical, signer) = self.canonical(sent, request)?;
        let mut parameters = canonical.into_parameters();
        if json.is_some() && signer.client.is_some_and(|client| !client.accepts_json) {
            return Err(FORBIDDEN);
        }
        if let Some(json) = json {
            parameters.append(json::read(json).ok_or(MALFORMED)?);
        }
        Ok(Call {
            method: parameters.text("method").map(Cow::into_owned),
            parameters,
            caller: signer.caller,
            key: Some(signer.key),
            permissions: match signer.client {
                Some(client) => Some(client.permissions.clone()),
                None => Some(self.debug_permissions.clone()),
            },
            details: Delivery::default(),
        })
    }

    fn max_body(&self, query: &str) -> usize {
        let may_name = |method: &SelfVerifying| query.contains(method.method);
        match self.self_verifying.iter().any(may_name) {
            true => MAX_SIGNED_BODY,
            false => MAX_BODY,
        }
    }

    fn seal(&self, outcome: Result<Reply, CallError>, now: i64) -> Answer {
        response::seal(self.salt.at(now), outcome)
    }

    fn unknown_method(&self, method: Option<&str>) -> Fault {
        match method {
            Some(_) => UNKNOWN_METHOD,
            None => NO_METHOD,
        }
    }

    fn refused(&self, refusal: Refusal) -> Fault {
        match refusal {
            Refusal::Forbidden => FORBIDDEN,
            Refusal::TooFrequent => TOO_FREQUENT,
        }
    }

    fn refuse_request(&self, error: RequestError) -> Answer {
        let code = match error {
            RequestError::Incomplete => MALFORMED.code,
            error => i64::from(error.status()),
        };
        response::without_data(error.status(), code, error.message())
    }
}

/// The faults for parameters without one of their own; the document gives most parameters their own.
impl ParameterFaults for Yoho {
    fn absent(&self, name: &str) -> Fault {
        self.wrong(name)
    }

    fn wrong(&self, name: &str) -> Fault {
        Fault::formatted(402, format!("{name}不合法"))
    }

    fn too_long(&self, name: &str) -> Fault {
        Fault::formatted(500, format!("参数长度不合法:{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::gateway::context::RequestId;

    #[test]
    fn a_self_verifying_call_claims_its_only_sender() {
        let yoho = Yoho {
            salt: Salt {
                current: Secret::new("salt"),
                next: None,
            },
            clients: BTreeMap::new(),
            debug: None,
            debug_from: Vec::new(),
            debug_permissions: permissions(&[], &Limits::default()),
            debug_uses: Counter::default(),
            self_verifying: &[SelfVerifying {
                method: "bank.notify",
                sender: "bank",
            }],
            known: BTreeSet::new(),
        };
        let id = RequestId::new("r1").unwrap();
        let open = |query| {
            yoho.open(&Request {
                id: &id,
                now: 0,
                path: "/gateway",
                query,
                headers: &[(BODY_SIGNATURE, "signed")],
                body: b"{}",
                addresses: &[],
            })
        };
        let call = open("method=bank.notify").unwrap();
        assert_eq!((call.caller.as_str(), call.key), ("bank", None));
        let signed_body = SignedBody {
            bytes: b"{}".to_vec(),
            signature: "signed".to_owned(),
        };
        assert_eq!(call.details.signed_body, Some(signed_body));
        assert_eq!(open("method=bank.other").unwrap_err(), NO_SECRET);
    }
}
