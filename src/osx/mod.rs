//! The endpoint of the OSX community: `GET /userActionNotify` and `GET /getUserInfo`, as in protocols.md part 3.

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
use crate::gateway::registry::{DuplicateName, Registry};
use crate::gateway::service::Service;
use crate::services::Services;
use community::Community;
use dialect::Osx;
pub use signature::sign;

/// The endpoint's name.
pub const NAME: &str = "osx";

/// The paths, and the parameters that the platform itself sends to each, except `sign`.
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

/// A parameter is absent, wrong or too long, as `text` says.
fn invalid(text: &str, name: &str) -> Fault {
    Fault::formatted(4, format!("{text}{name}"))
}

/// The endpoint of the community.
pub struct CommunityCallbacks {
    config: config::Osx,
    methods: Arc<Registry<Community, ()>>,
}

impl CommunityCallbacks {
    /// Serves the community of the configuration.
    ///
    /// # Errors
    /// Returns a name that two methods want, in words.
    pub fn new(config: &config::Osx) -> Result<CommunityCallbacks, String> {
        Ok(CommunityCallbacks {
            config: config.clone(),
            methods: Arc::new(methods().map_err(|duplicate| duplicate.to_string())?),
        })
    }
}

fn methods() -> Result<Registry<Community, ()>, DuplicateName> {
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
        let dialect = Osx::new(&self.config);
        let methods = self.methods.methods().iter();
        // `sign` tells the two apart by their parameters.
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
            dialect: Osx::new(&self.config),
            methods: self.methods.clone(),
            state: Community::new(&self.config, services.coins.clone(), members),
            timeout: services.timeout,
            dispatcher: None,
        })
    }
}
