//! Member status: the methods `status.*` and `broadcast.*` of `/gateway`, as in protocols.md part 4. They use
//! YOHO's envelope and stand in its registry; the broker calls them by the same names.

mod add_diamond;
mod diamonds;
mod extend_light;
mod follow;
mod pay_notify;
mod profile_changed;
mod reduce_diamond;
mod sports_envious;
mod update_profile;
mod user_report;
mod values;

use std::borrow::Borrow;
use std::sync::Arc;

use crate::config;
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::Fault;
use crate::gateway::registry::{DuplicateName, Registry};
use crate::ledger::book::key::Key;
use crate::members::Members;
use crate::points::coins::Coins;
use crate::points::keys::KeySpace;
use crate::services::Services;
use crate::sign::RsaKey;

/// The methods that verify their sender themselves.
pub const SELF_VERIFYING: &[&str] = &[pay_notify::NAME];

const NO_USER_KEY: Fault = Fault::new(400, "user_key不能为空");

/// What the methods work on.
pub struct MemberStatus {
    coins: Arc<Coins>,
    members: Members,
    payments: PaymentRules,
    posts: Vec<String>,
    comments: Vec<String>,
}

/// How payments are verified and rewarded.
#[derive(Clone)]
pub struct PaymentRules {
    key: Option<Arc<RsaKey>>,
    award: Vec<String>,
}

impl PaymentRules {
    /// Takes the rules of the configuration.
    ///
    /// # Errors
    /// Returns the reason in words if the configured key is not a public key.
    pub fn new(config: &config::Status) -> Result<PaymentRules, String> {
        let key = match &config.pingpp_public_key {
            None => None,
            Some(pem) => Some(RsaKey::from_pem(pem.reveal()).ok_or(
                "status.pingpp_public_key is not an RSA public key of 2048 to 8192 bits in PEM (-----BEGIN PUBLIC KEY-----)",
            )?),
        };
        Ok(PaymentRules {
            key: key.map(Arc::new),
            award: config.award.clone(),
        })
    }
}

impl MemberStatus {
    /// Builds the state of the methods over these services.
    pub fn new(
        config: &config::Status,
        payments: PaymentRules,
        services: &Services,
    ) -> MemberStatus {
        MemberStatus {
            coins: services.coins.clone(),
            members: services.members.clone(),
            payments,
            posts: config.posts.clone(),
            comments: config.comments.clone(),
        }
    }
}

/// The key under which a message changes something once; `None` without a message id.
fn message_key(method: &str, context: &Context<Delivery>) -> Option<Key> {
    let id = context.details.message_id.as_deref()?;
    Some(KeySpace::Message.key(&[method, id]))
}

/// Adds the methods of member status.
///
/// # Errors
/// Returns a name that is taken.
pub fn register<S>(registry: &mut Registry<S, Delivery>) -> Result<(), DuplicateName>
where
    S: Borrow<MemberStatus> + Sync + 'static,
{
    registry.add::<add_diamond::AddDiamond>()?;
    registry.add::<reduce_diamond::ReduceDiamond>()?;
    registry.add::<sports_envious::SportsEnvious>()?;
    registry.add::<extend_light::ExtendLight>()?;
    registry.add::<follow::Follow>()?;
    registry.add::<update_profile::UpdateProfile>()?;
    registry.add::<profile_changed::ProfileChanged>()?;
    registry.add::<user_report::UserReport>()?;
    registry.add::<pay_notify::PayNotify>()
}
