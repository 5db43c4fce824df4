//! The endpoint `/api/v2` of the open platform, by protocols.md part 2, and the Actions that partners call.

mod caller;
mod dialect;
mod envelope;
mod identity;
mod partner;
mod points_add;
mod records;
mod reply;
mod sample;
mod signature;

use std::sync::Arc;

use crate::config;
use crate::gateway::description::Description;
use crate::gateway::endpoint::{Endpoint, Handler, Route, Sample, SignedRequest};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::keys::KeyRegister;
use crate::gateway::parameters::Parameters;
use crate::gateway::registry::{DuplicateName, Registry};
use crate::gateway::service::Service;
use crate::ledger::book::transaction::Nonce;
use crate::points::coins::Coins;
use crate::services::Services;
use caller::Caller;
use dialect::OpenPlatform;

/// The name in `pointgate sign openapi` and in the metrics.
pub const NAME: &str = "openapi";

const MALFORMED: Fault = Fault::new(100002, "参数格式不对");
const REPLAYED: Fault = Fault::new(110005, "Nonce已被使用");
const TOO_MANY: Fault = Fault::new(110007, "请求过于频繁");
const UNKNOWN_USER: Fault = Fault::new(200001, "查询的信息不存在");
const BROKEN: Fault = Fault::new(500000, "系统错误");

/// The message of every success.
const SUCCESS: &str = "success";

/// The fault for an absent envelope field or parameter.
fn missing_parameter(name: &str) -> Fault {
    Fault::formatted(100001, format!("缺少参数{name}"))
}

/// The endpoint `/api/v2` with its partners.
pub struct Partners {
    config: config::Openapi,
    actions: Arc<Registry<Arc<Coins>, Caller>>,
}

impl Partners {
    /// Serves the partners of `[openapi]`.
    ///
    /// # Errors
    /// Returns a message for the user if `allow` of a partner lists an unknown Action.
    pub fn new(config: &config::Openapi) -> Result<Partners, String> {
        let actions = actions().map_err(|duplicate| duplicate.to_string())?;
        for partner in &config.partners {
            let unknown = partner
                .allow
                .iter()
                .find(|name| !name.ends_with('*') && actions.find(name).is_none());
            if let Some(unknown) = unknown {
                return Err(format!(
                    "openapi.partners: {} may call {unknown}, but there is no such Action; `pointgate methods` lists them",
                    partner.open_id
                ));
            }
        }
        Ok(Partners {
            config: config.clone(),
            actions: Arc::new(actions),
        })
    }
}

fn actions() -> Result<Registry<Arc<Coins>, Caller>, DuplicateName> {
    let mut registry = Registry::default();
    registry.add::<records::Records>()?;
    registry.add::<points_add::PointsAdd>()?;
    registry.add::<identity::Identity>()?;
    Ok(registry)
}

impl Endpoint<Services> for Partners {
    fn name(&self) -> &'static str {
        NAME
    }

    fn routes(&self) -> Vec<Route> {
        vec![Route {
            path: "/api/v2",
            methods: &["POST"],
        }]
    }

    fn methods(&self) -> Vec<Description> {
        let dialect = OpenPlatform::new(&self.config, &KeyRegister::default());
        let actions = self.actions.methods().iter();
        actions
            .map(|it| it.describe(&dialect, |name, example| format!("{name} {example}")))
            .collect()
    }

    fn sign(&self, sample: Sample) -> Result<SignedRequest, String> {
        sample::sign(&self.config, sample)
    }

    fn summary(&self) -> String {
        let partners = self.config.partners.len();
        format!("has {partners} partners on the open platform")
    }

    fn start(&self, services: &Services) -> Arc<dyn Handler> {
        Arc::new(Service {
            name: NAME,
            dialect: OpenPlatform::new(&self.config, &services.keys),
            methods: self.actions.clone(),
            state: services.coins.clone(),
            timeout: services.timeout,
            dispatcher: None,
        })
    }
}
