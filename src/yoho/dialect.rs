//! The YOHO dialect: the request signature `client_secret`, QA's word, and the sealed response, as in protocols.md part 1.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::canonical::{Canonical, Trim};
use super::signature::digest;
use super::{query, response};
use crate::config::{self, Secret};
use crate::gateway::context::{Delivery, SignedBody, within};
use crate::gateway::dialect::{Answer, BodyError, Call, Dialect, Request};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::form;
use crate::gateway::parameters::Parameters;
use crate::gateway::params::ParameterFaults;
use crate::gateway::reply::Reply;

const NO_SECRET: Fault = Fault::new(500, "缺少client_secret");
const UNKNOWN_PLATFORM: Fault = Fault::new(500, "不接受此平台");
const FORGED: Fault = Fault::new(500, "数据验证错误.");
const MALFORMED: Fault = Fault::new(500, "参数格式不对");
const NO_METHOD: Fault = Fault::new(501, "缺少method");
const UNKNOWN_METHOD: Fault = Fault::new(501, "method不存在");

/// The common parameters and the most characters of each: the document's table of 公共请求参数.
const COMMON: [(&str, usize); 5] = [
    ("client_secret", 50),
    ("app_version", 10),
    ("os_version", 20),
    ("client_type", 20),
    ("screen_size", 20),
];

/// The header of Ping++'s signature over a body.
pub const BODY_SIGNATURE: &str = "x-pingplusplus-signature";

/// The dialect with its keys.
#[derive(Debug)]
pub struct Yoho {
    salt: Secret,
    client_keys: BTreeMap<String, Secret>,
    debug: Option<String>,
    debug_from: Vec<IpNet>,
    self_verifying: &'static [&'static str],
    known: BTreeSet<&'static str>,
}

/// Parameters that QA's word and the dialect read beside those of [`COMMON`] and of the methods.
const OWN: [&str; 3] = ["method", "debug", "private_key"];

/// Who signed a request, and how that was shown.
struct Signer {
    caller: String,
    key: Option<&'static str>,
}

impl Yoho {
    /// Takes the keys of the configuration. The methods in `self_verifying`, named in the query, verify their sender themselves:
    /// they get the body as it came, with the header [`BODY_SIGNATURE`]. `parameters` are the names that any method reads.
    pub fn new(
        config: &config::Yoho,
        self_verifying: &'static [&'static str],
        parameters: impl IntoIterator<Item = &'static str>,
    ) -> Yoho {
        let common = COMMON.iter().map(|(name, _)| *name);
        Yoho {
            known: OWN.into_iter().chain(common).chain(parameters).collect(),
            salt: config.salt.clone(),
            client_keys: config.client_keys.clone(),
            debug: config.debug.clone(),
            debug_from: config.debug_from.clone(),
            self_verifying,
        }
    }

    /// The call of a method that verifies its sender itself; `None` for every other one.
    fn open_self_verifying(&self, request: &Request<'_>) -> Option<Call<Delivery>> {
        let mut parameters = Parameters::default();
        form::read(request.query.as_bytes(), &mut parameters)?;
        let method = parameters.text("method")?;
        if !self.self_verifying.contains(&method) {
            return None;
        }
        let signature = request.headers.get(BODY_SIGNATURE).unwrap_or_default();
        Some(Call {
            method: Some(method.to_owned()),
            caller: String::new(),
            key: None,
            details: Delivery {
                message_id: None,
                signed_body: Some(SignedBody {
                    bytes: request.body.to_vec(),
                    signature: signature.to_owned(),
                }),
            },
            parameters,
        })
    }

    /// Whether QA's word lets this request pass without `client_secret`: the configured word, from a configured address.
    fn is_debug(&self, sent: &[(String, String)], request: &Request<'_>) -> bool {
        let given = sent.iter().find(|(name, _)| name == "debug");
        let given = given.map(|(_, word)| word.as_str());
        let word = self.debug.as_deref();
        word.is_some() && given == word && within(request.addresses, &self.debug_from)
    }

    /// Verifies `client_secret` over a canonical list, unless QA's word stands in for it.
    fn verify(&self, signed: &Canonical, is_debug: bool) -> Result<Signer, Fault> {
        let client_type = signed.get("client_type").map(str::to_lowercase);
        if is_debug {
            return Ok(Signer {
                caller: client_type.unwrap_or_default(),
                key: Some("debug"),
            });
        }
        let sent = signed.get("client_secret").ok_or(NO_SECRET)?;
        let caller = client_type.ok_or(UNKNOWN_PLATFORM)?;
        let key = self.client_keys.get(&caller).ok_or(UNKNOWN_PLATFORM)?;
        match crate::sign::same(&digest(signed, key), &sent.to_ascii_lowercase()) {
            true => Ok(Signer {
                caller,
                key: Some("current"),
            }),
            false => Err(FORGED),
        }
    }

    /// Canonicalises query and form parameters as their client trims, which only the signature tells, and verifies them.
    fn canonical(
        &self,
        sent: Parameters,
        request: &Request<'_>,
    ) -> Result<(Canonical, Signer), Fault> {
        let sent: Vec<(String, String)> = sent.into_texts().collect();
        let is_debug = self.is_debug(&sent, request);
        let as_trimmed = |trim| {
            let canonical = Canonical::of(sent.iter().cloned(), trim, &self.known).ok_or(FORGED)?;
            let signer = self.verify(&canonical, is_debug)?;
            Ok((canonical, signer))
        };
        match as_trimmed(Trim::Java) {
            Err(fault) if fault == FORGED && has_wide_space(&sent) => as_trimmed(Trim::Unicode),
            done => done,
        }
    }
}

/// Whether Unicode's trim could cut more than Java's.
fn has_wide_space(sent: &[(String, String)]) -> bool {
    let wide = |c: char| c > ' ' && c.is_whitespace();
    sent.iter()
        .any(|(name, value)| name.starts_with(wide) || value.ends_with(wide))
}

impl Dialect for Yoho {
    type Details = Delivery;

    fn open(&self, request: &Request<'_>) -> Result<Call<Delivery>, Fault> {
        if let Some(call) = self.open_self_verifying(request) {
            return Ok(call);
        }
        let (sent, json) = query::read(request).ok_or(MALFORMED)?;
        let (canonical, signer) = self.canonical(sent, request)?;
        let mut parameters = canonical.into_parameters();
        if let Some(json) = json {
            parameters.append(serde_json::from_slice(json).map_err(|_| MALFORMED)?);
        }
        for (name, most) in COMMON {
            let text = parameters.text(name);
            if text.is_some_and(|text| text.chars().nth(most).is_some()) {
                return Err(self.too_long(name));
            }
        }
        Ok(Call {
            method: parameters.text("method").map(str::to_owned),
            parameters,
            caller: signer.caller,
            key: signer.key,
            details: Delivery::default(),
        })
    }

    fn seal(&self, outcome: Result<Reply, CallError>) -> Answer {
        response::seal(&self.salt, outcome)
    }

    fn unknown_method(&self, named: Option<&str>) -> Fault {
        match named {
            Some(_) => UNKNOWN_METHOD,
            None => NO_METHOD,
        }
    }

    fn unreadable_body(&self, error: BodyError) -> Answer {
        match error {
            BodyError::TooLarge => response::refusal(413, 413, "请求体过大"),
            BodyError::Incomplete => response::refusal(400, MALFORMED.code, &MALFORMED.message),
        }
    }
}

/// The document's methods have faults of their own for most parameters.
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
