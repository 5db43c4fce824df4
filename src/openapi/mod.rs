//! The open platform's dialect: `POST /api/v2` with a signed envelope, as in protocols.md part 2, and the Actions that
//! partners may call.

mod caller;
mod envelope;
mod identity;
mod partner;
mod points_add;
mod records;
mod reply;
mod signature;

use std::collections::HashMap;
use std::sync::Arc;

use prometheus_client::registry::Registry as Metrics;

use crate::clock::Clock;
use crate::config;
use crate::gateway::dialect::{Call, Dialect, Request, Sealed};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Reply;
use crate::gateway::params::{Parameters, Refusals};
use crate::gateway::registry::{DuplicateName, Registry};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::Nonce;
use crate::points::Coins;
use crate::sign::same;
pub use caller::Caller;
use envelope::Envelope;
use partner::{Partner, SecretMetrics};
pub use signature::{Signed, Spelling};

const MALFORMED: Fault = Fault::new(100002, "参数格式不对");
const UNKNOWN_ACTION: Fault = Fault::new(100404, "Action不存在");
const UNKNOWN_PARTNER: Fault = Fault::new(110001, "OpenId不存在");
const WRONG_GRANT: Fault = Fault::new(110002, "GrantCode不匹配");
const UNTIMELY: Fault = Fault::new(110003, "Timestamp不在有效时间内");
const FORGED: Fault = Fault::new(110004, "验签失败");
const REPLAYED: Fault = Fault::new(110005, "Nonce已被使用");
const FORBIDDEN: Fault = Fault::new(110006, "无权调用此Action");
const TOO_MANY: Fault = Fault::new(110007, "请求过于频繁");
const UNKNOWN_USER: Fault = Fault::new(200001, "查询的信息不存在");
const BROKEN: Fault = Fault::new(500000, "系统错误");

/// What goes with every success.
const SUCCESS: &str = "success";

/// An envelope field or a parameter that is not there.
fn missing(name: &str) -> Fault {
    Fault::naming(100001, format!("缺少参数{name}"))
}

/// The dialect with its partners.
pub struct Openapi {
    partners: HashMap<String, Arc<Partner>>,
    window: i64,
    clock: Clock,
}

impl Openapi {
    /// With the partners of the configuration, whose secrets are counted in `metrics`.
    pub fn new(config: &config::Openapi, clock: Clock, metrics: &mut Metrics) -> Openapi {
        let uses = SecretMetrics::register(metrics);
        let partner = |partner: &config::Partner| {
            let open_id = partner.open_id.clone();
            (open_id, Arc::new(Partner::new(partner, &uses)))
        };
        Openapi {
            partners: config.partners.iter().map(partner).collect(),
            window: i64::try_from(config.window.as_millis()).unwrap_or(i64::MAX),
            clock,
        }
    }

    /// The partner that an envelope truly comes from.
    fn authenticate(&self, envelope: &Envelope) -> Result<&Arc<Partner>, Fault> {
        let partner = self
            .partners
            .get(&envelope.open_id)
            .ok_or(UNKNOWN_PARTNER)?;
        if !same(partner.grant_code.reveal(), &envelope.grant_code) {
            return Err(WRONG_GRANT);
        }
        let now = self.clock.now();
        if now.abs_diff(envelope.at()) > self.window.unsigned_abs() {
            return Err(UNTIMELY);
        }
        match partner.accepts(&envelope.signed(partner.sign), &envelope.token, now) {
            true => Ok(partner),
            false => Err(FORGED),
        }
    }
}

impl Dialect for Openapi {
    type Caller = Caller;

    fn open(&self, request: &Request<'_>) -> Result<Call<Caller>, Fault> {
        let envelope = Envelope::read(request.body)?;
        let partner = self.authenticate(&envelope)?.clone();
        let words = ["openapi", "nonce", &partner.open_id, &envelope.nonce];
        let nonce = Nonce {
            at: envelope.at(),
            key: Key::of(&words),
        };
        Ok(Call {
            method: Some(envelope.action),
            caller: Caller { partner, nonce },
            parameters: envelope.parameters,
        })
    }

    fn permit(&self, caller: &Caller, method: &'static str) -> Result<(), Fault> {
        match caller.partner.allow.contains(method) {
            true => Ok(()),
            false => Err(FORBIDDEN),
        }
    }

    fn seal(&self, outcome: Result<Reply, CallError>) -> Sealed {
        reply::seal(outcome)
    }

    fn no_method(&self, _named: Option<&str>) -> Fault {
        UNKNOWN_ACTION
    }

    fn too_large(&self) -> Sealed {
        reply::refusal(413, &Fault::new(MALFORMED.code, "请求体过大"))
    }

    fn unreadable(&self) -> Sealed {
        reply::refusal(400, &MALFORMED)
    }
}

impl Refusals for Openapi {
    fn absent(&self, name: &str) -> Fault {
        missing(name)
    }

    fn wrong(&self, _name: &str) -> Fault {
        MALFORMED
    }

    fn too_long(&self, _name: &str) -> Fault {
        MALFORMED
    }
}

/// Adds the Actions.
///
/// # Errors
/// A name that is taken.
pub fn register(registry: &mut Registry<Caller>, coins: &Arc<Coins>) -> Result<(), DuplicateName> {
    registry.add(records::Records(coins.clone()))?;
    registry.add(points_add::PointsAdd(coins.clone()))?;
    registry.add(identity::Identity(coins.clone()))
}
