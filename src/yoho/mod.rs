//! The YOHO dialect: `GET|POST /gateway?method=…` as in protocols.md part 1, and the methods that speak it.

mod balance;
mod get;
mod lists;
mod overview;
mod query;
mod response;
mod returns;
mod signature;
mod subtract;
mod total;
mod values;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::config::{self, Secret};
use crate::gateway::dialect::{Call, Dialect, Request, Sealed, Sent, within};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::form;
use crate::gateway::method::Reply;
use crate::gateway::params::{Parameters, Refusals};
use crate::gateway::registry::{DuplicateName, Registry};
use crate::points::Coins;
pub use signature::client_secret;

const NO_SECRET: Fault = Fault::new(500, "缺少client_secret");
const UNKNOWN_PLATFORM: Fault = Fault::new(500, "不接受此平台");
const FORGED: Fault = Fault::new(500, "数据验证错误.");
const MALFORMED: Fault = Fault::new(500, "参数格式不对");
const NO_METHOD: Fault = Fault::new(501, "缺少method");
const UNKNOWN_METHOD: Fault = Fault::new(501, "method不存在");

/// The common parameters and how many characters each may have: the document's table of 公共请求参数.
const COMMON: [(&str, usize); 5] = [
    ("client_secret", 50),
    ("app_version", 10),
    ("os_version", 20),
    ("client_type", 20),
    ("screen_size", 20),
];

/// The dialect with its keys.
#[derive(Debug)]
pub struct Yoho {
    salt: Secret,
    client_keys: BTreeMap<String, Secret>,
    debug: Option<String>,
    debug_from: Vec<IpNet>,
    signed_otherwise: &'static [&'static str],
}

impl Yoho {
    /// With the keys of the configuration.
    pub fn new(config: &config::Yoho) -> Yoho {
        Yoho {
            salt: config.salt.clone(),
            client_keys: config.client_keys.clone(),
            debug: config.debug.clone(),
            debug_from: config.debug_from.clone(),
            signed_otherwise: &[],
        }
    }

    /// These methods, named in the query, check by themselves who sends them: they get the body as it came.
    pub fn signed_otherwise(self, methods: &'static [&'static str]) -> Yoho {
        Yoho {
            signed_otherwise: methods,
            ..self
        }
    }

    /// The call of a method that is signed otherwise; none where it is another one.
    fn open_raw(&self, request: &Request<'_>) -> Option<Call<Sent>> {
        let mut parameters = Parameters::default();
        form::read(request.query.as_bytes(), &mut parameters)?;
        let method = parameters.text("method")?;
        if !self.signed_otherwise.contains(&method) {
            return None;
        }
        let signature = request.signature.unwrap_or_default().to_owned();
        Some(Call {
            method: Some(method.to_owned()),
            caller: Sent {
                id: None,
                raw: Some((request.body.to_vec(), signature)),
            },
            parameters,
        })
    }

    /// Whether QA's flag lets this request pass without `client_secret`: the configured word, from a configured address.
    fn is_debug(&self, parameters: &Parameters, from: &[IpAddr]) -> bool {
        let word = self.debug.as_deref();
        word.is_some() && parameters.text("debug") == word && within(from, &self.debug_from)
    }

    /// Checks `client_secret` over the query and form parameters.
    fn check_signature(&self, signed: &Parameters) -> Result<(), Fault> {
        let sent = signed.text("client_secret").ok_or(NO_SECRET)?;
        let client_type = signed.text("client_type").ok_or(UNKNOWN_PLATFORM)?;
        let key = self
            .client_keys
            .get(&client_type.to_lowercase())
            .ok_or(UNKNOWN_PLATFORM)?;
        match crate::sign::same(
            &client_secret(signed.texts(), key),
            &sent.to_ascii_lowercase(),
        ) {
            true => Ok(()),
            false => Err(FORGED),
        }
    }
}

impl Dialect for Yoho {
    type Caller = Sent;

    fn open(&self, request: &Request<'_>) -> Result<Call<Sent>, Fault> {
        if let Some(call) = self.open_raw(request) {
            return Ok(call);
        }
        let (mut parameters, json) = query::read(request).ok_or(MALFORMED)?;
        if !self.is_debug(&parameters, request.from) {
            self.check_signature(&parameters)?;
        }
        if let Some(json) = json {
            parameters.append(serde_json::from_slice(json).map_err(|_| MALFORMED)?);
        }
        for (name, most) in COMMON {
            if parameters
                .text(name)
                .is_some_and(|text| text.chars().nth(most).is_some())
            {
                return Err(self.too_long(name));
            }
        }
        Ok(Call {
            method: parameters.text("method").map(str::to_owned),
            caller: Sent::default(),
            parameters,
        })
    }

    fn seal(&self, outcome: Result<Reply, CallError>) -> Sealed {
        response::seal(&self.salt, outcome)
    }

    fn no_method(&self, named: Option<&str>) -> Fault {
        if named.is_some() {
            UNKNOWN_METHOD
        } else {
            NO_METHOD
        }
    }

    fn too_large(&self) -> Sealed {
        response::refusal(413, 413, "请求体过大")
    }

    fn unreadable(&self) -> Sealed {
        response::refusal(400, MALFORMED.code, &MALFORMED.message)
    }
}

/// The method's own refusals say more where the document has any.
impl Refusals for Yoho {
    fn absent(&self, name: &str) -> Fault {
        self.wrong(name)
    }

    fn wrong(&self, name: &str) -> Fault {
        Fault::naming(402, format!("{name}不合法"))
    }

    fn too_long(&self, name: &str) -> Fault {
        Fault::naming(500, format!("参数长度不合法:{name}"))
    }
}

/// Adds the methods.
///
/// # Errors
/// A name that is taken.
pub fn register(registry: &mut Registry<Sent>, coins: &Arc<Coins>) -> Result<(), DuplicateName> {
    registry.add(total::Total(coins.clone()))?;
    registry.add(get::Get(coins.clone()))?;
    registry.add(subtract::Subtract(coins.clone()))?;
    registry.add(returns::Return(coins.clone()))?;
    registry.add(lists::Lists(coins.clone()))?;
    registry.add(overview::Overview(coins.clone()))
}
