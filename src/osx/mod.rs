//! The endpoint of the OSX community: `GET /userActionNotify` and `GET /getUserInfo`, by protocols.md part 3.

mod callback;
mod community;
mod dialect;
mod notify;
mod profile;
mod sample;
mod signature;
mod user_info;

use std::sync::Arc;

use crate::config;
use crate::gateway::description::Description;
use crate::gateway::endpoint::{Endpoint, Handler, Route, Sample, SignedRequest};
use crate::gateway::fault::Fault;
use crate::gateway::keys::KeyRegister;
use crate::gateway::registry::{DuplicateName, Registry};
use crate::gateway::service::Service;
use crate::ledger::book::transaction::Nonce;
use crate::services::Services;
use community::Community;
use dialect::Osx;
pub use signature::sign;

/// The name in `pointgate sign osx` and in the metrics.
pub const NAME: &str = "osx";

/// The paths, with the parameters that the platform itself adds to each, except `sign`.
const PARAMETERS: [(&str, &[&str]); 2] = [
    (
        notify::PATH,
        &[
            "user_token",
            "to_user_token",
            "to_id",
            "action",
            "action_token",
            "appKey",
            "endtimestamp",
        ],
    ),
    (
        user_info::PATH,
        &["user_token", "token", "appKey", "endtimestamp"],
    ),
];

/// The fault for an absent, wrong or too long parameter; `text` says which of these.
fn invalid(text: &str, name: &str) -> Fault {
    Fault::formatted(4, format!("{text}{name}"))
}

/// The endpoint of the community's callbacks.
pub struct CommunityCallbacks {
    config: config::Osx,
    methods: Arc<Registry<Community, Nonce>>,
}

impl CommunityCallbacks {
    /// Serves the community of `[osx]`.
    ///
    /// # Errors
    /// Returns a message if two methods have the same name, which is a bug.
    pub fn new(config: &config::Osx) -> Result<CommunityCallbacks, String> {
        Ok(CommunityCallbacks {
            config: config.clone(),
            methods: Arc::new(methods().map_err(|duplicate| duplicate.to_string())?),
        })
    }
}

fn methods() -> Result<Registry<Community, Nonce>, DuplicateName> {
    let mut registry = Registry::default();
    registry.add::<notify::UserActionNotify>()?;
    registry.add::<user_info::GetUserInfo>()?;
    Ok(registry)
}

impl Endpoint<Services> for CommunityCallbacks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn routes(&self) -> Vec<Route> {
        let paths = PARAMETERS.iter();
        paths
            .map(|&(path, _)| Route {
                path,
                methods: &["GET"],
            })
            .collect()
    }

    fn methods(&self) -> Vec<Description> {
        let dialect = Osx::new(&self.config, &KeyRegister::default());
        let methods = self.methods.methods().iter();
        // `pointgate sign osx` takes no method: the parameters determine it.
        methods
            .map(|it| it.describe(&dialect, |_, example| example.to_owned()))
            .collect()
    }

    fn sign(&self, sample: Sample) -> Result<SignedRequest, String> {
        sample::sign(&self.config, sample)
    }

    fn summary(&self) -> String {
        let community = match self.config.keys {
            Some(_) => "is served",
            None => "is not served",
        };
        let rules = self.config.rules.len();
        format!("the community {community}, with {rules} rules")
    }

    fn start(&self, services: &Services) -> Arc<dyn Handler> {
        let members = services.members.clone();
        Arc::new(Service {
            name: NAME,
            dialect: Osx::new(&self.config, &services.keys),
            methods: self.methods.clone(),
            state: Community::new(&self.config, services.coins.clone(), members),
            timeout: services.timeout,
            dispatcher: None,
        })
    }
}
