//! Member status: the methods `status.*` and `broadcast.*` of `/gateway`, as in protocols.md part 4. They have YOHO's
//! envelope and stand in its registry; over the broker they come by the same names.

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

use std::sync::Arc;

use crate::config::Config;
use crate::gateway::dialect::Sent;
use crate::gateway::fault::Fault;
use crate::gateway::registry::{DuplicateName, Registry};
use crate::ledger::book::key::Key;
use crate::members::Members;
use crate::points::Coins;
use crate::sign::RsaKey;

/// The methods that check by themselves who sends them.
pub const SIGNED_OTHERWISE: &[&str] = &[pay_notify::NAME];

const NO_USER_KEY: Fault = Fault::new(400, "user_key不能为空");

/// What the methods share.
pub struct Status {
    coins: Arc<Coins>,
    members: Members,
    key: Option<RsaKey>,
    award: Vec<String>,
    posts: Vec<String>,
    comments: Vec<String>,
}

impl Status {
    /// Over this ledger and these members.
    ///
    /// # Errors
    /// Where the configured key is none.
    pub fn new(config: &Config, coins: Arc<Coins>, members: Members) -> Result<Status, String> {
        let config = &config.status;
        let key = match &config.pingpp_public_key {
            None => None,
            Some(pem) => Some(RsaKey::from_pem(pem.reveal()).ok_or(
                "status.pingpp_public_key is not an RSA public key of 2048 to 8192 bits in PEM (-----BEGIN PUBLIC KEY-----)",
            )?),
        };
        Ok(Status {
            coins,
            members,
            key,
            award: config.award.clone(),
            posts: config.posts.clone(),
            comments: config.comments.clone(),
        })
    }
}

/// The key under which a message changes something once; none where it has no id.
fn once(method: &str, sent: &Sent) -> Option<Key> {
    let id = sent.id.as_deref()?;
    Some(Key::of(&["message", method, id]))
}

/// Adds the methods.
///
/// # Errors
/// A name that is taken.
pub fn register(registry: &mut Registry<Sent>, status: &Arc<Status>) -> Result<(), DuplicateName> {
    registry.add(add_diamond::AddDiamond(status.clone()))?;
    registry.add(reduce_diamond::ReduceDiamond(status.clone()))?;
    registry.add(sports_envious::SportsEnvious(status.clone()))?;
    registry.add(extend_light::ExtendLight(status.clone()))?;
    registry.add(follow::Follow(status.clone()))?;
    registry.add(update_profile::UpdateProfile(status.clone()))?;
    registry.add(profile_changed::ProfileChanged(status.clone()))?;
    registry.add(user_report::UserReport(status.clone()))?;
    registry.add(pay_notify::PayNotify(status.clone()))
}
