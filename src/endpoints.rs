//! The endpoints of this program, one line each. Deleting a dialect is deleting its folder and its line here.

use std::borrow::Borrow;
use std::sync::Arc;

use crate::config::Config;
use crate::gateway::endpoint::Endpoint;
use crate::gateway::registry::{DuplicateName, Registry};
use crate::points::coins::Coins;
use crate::services::Services;
use crate::status::{self, MemberStatus, PaymentRules};
use crate::{openapi, osx, yoho};

/// A list of endpoints, over which the server and the command line go.
pub type Endpoints = Vec<Box<dyn Endpoint<Services>>>;

/// All endpoints, as they are configured.
///
/// # Errors
/// Returns what is wrong with the configuration of one of them, in words.
pub fn all(config: &Config) -> Result<Endpoints, String> {
    Ok(vec![
        Box::new(gateway(config)?),
        Box::new(openapi::Partners::new(&config.openapi)?),
        Box::new(osx::CommunityCallbacks::new(&config.osx)?),
    ])
}

/// What the methods of `/gateway` work on: the shop's coins, and the members.
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

/// `/gateway`: the methods of the shop's coins, and beside them those of member status in the same envelope.
fn gateway(config: &Config) -> Result<yoho::Gateway<GatewayState>, String> {
    let methods = || -> Result<_, DuplicateName> {
        let mut methods = Registry::default();
        yoho::register(&mut methods)?;
        status::register(&mut methods)?;
        Ok(methods)
    };
    let methods = methods().map_err(|duplicate| duplicate.to_string())?;
    let payments = PaymentRules::new(&config.status)?;
    let status = config.status.clone();
    let state = move |services: &Services| GatewayState {
        coins: services.coins.clone(),
        status: MemberStatus::new(&status, payments.clone(), services),
    };
    Ok(yoho::Gateway::new(
        &config.yoho,
        methods,
        status::SELF_VERIFYING,
        state,
    ))
}
