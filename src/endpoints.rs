//! The endpoints of this program, one line each. To delete a dialect, delete its folder and its line here.

use std::borrow::Borrow;
use std::sync::Arc;

use crate::config::Config;
use crate::gateway::endpoint::Endpoint;
use crate::gateway::registry::{DuplicateName, Registry};
use crate::points::coins::Coins;
use crate::services::Services;
use crate::status::{self, MemberStatus, PaymentRules};
use crate::{openapi, osx, yoho};

/// A list of endpoints, over which the server and the command line iterate.
pub type Endpoints = Vec<Box<dyn Endpoint<Services>>>;

/// Builds all endpoints from the configuration.
///
/// # Errors
/// Returns a message for the user if the configuration of an endpoint is invalid.
pub fn all(config: &Config) -> Result<Endpoints, String> {
    Ok(vec![
        Box::new(gateway(config)?),
        Box::new(openapi::Partners::new(&config.openapi)?),
        Box::new(osx::CommunityCallbacks::new(&config.osx)?),
    ])
}

/// The state of `/gateway`'s methods: the shop's coins and member status.
pub struct GatewayState {
    coins: Arc<Coins>,
    status: MemberStatus,
}

impl Borrow<Coins> for GatewayState {
    fn borrow(&self) -> &Coins {
        &self.coins
    }
}

impl Borrow<MemberStatus> for GatewayState {
    fn borrow(&self) -> &MemberStatus {
        &self.status
    }
}

/// `/gateway` serves two families of methods in one envelope: the shop's coins, and member status.
fn gateway(config: &Config) -> Result<yoho::Gateway<GatewayState>, String> {
    let methods = || -> Result<_, DuplicateName> {
        let mut methods = Registry::default();
        yoho::register(&mut methods)?;
        status::register(&mut methods)?;
        Ok(methods)
    };
    let methods = methods().map_err(|duplicate| duplicate.to_string())?;
    let unknown = |name: &&String| methods.find(name).is_none();
    if let Some(unknown) = config.amqp.methods.iter().find(unknown) {
        return Err(format!(
            "amqp.methods names {unknown}, but there is no such method; `pointgate methods` lists them"
        ));
    }
    let payments = PaymentRules::new(&config.status)?;
    let status = config.status.clone();
    let state = move |services: &Services| GatewayState {
        coins: services.coins.clone(),
        status: MemberStatus::new(&status, payments.clone(), services),
    };
    yoho::Gateway::new(&config.yoho, methods, status::SELF_VERIFYING, state)
}
