//! Member status: the methods `status.*` and `broadcast.*` of `/gateway`, by protocols.md part 4. They share YOHO's envelope and
//! registry; the broker calls them by the same names.

mod add_diamond;
mod diamonds;
mod event_fields;
mod extend_light;
mod follow;
mod message;
mod pay_notify;
mod payment_event;
mod payments;
mod profile_changed;
mod reduce_diamond;
mod sports_envious;
mod update_profile;
mod user_report;
mod values;

use std::borrow::Borrow;
use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::config;
use crate::gateway::context::{Delivery, SelfVerifying};
use crate::gateway::fault::Fault;
use crate::gateway::keys::CallerKeys;
use crate::gateway::registry::{DuplicateName, Registry};
use crate::members::Members;
use crate::points::coins::Coins;
use crate::points::messages::message_key;
use crate::services::Services;
use crate::sign::RsaKey;
pub use payments::PaymentRules;

/// The methods that the payment provider calls and signs with its own key.
pub const SELF_VERIFYING: &[SelfVerifying] = &[SelfVerifying {
    method: pay_notify::NAME,
    sender: pay_notify::SENDER,
}];

/// The name under which the payment provider's keys are listed, beside the dialects.
const FAMILY: &str = "status";

const NO_USER_KEY: Fault = Fault::new(400, "user_key不能为空");

/// The labels of a field of an event: a name that the program reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FieldLabels {
    field: &'static str,
}

/// The state of the methods.
pub struct MemberStatus {
    coins: Arc<Coins>,
    members: Members,
    payments: PaymentRules,
    /// The keys of the payment provider.
    payment_keys: CallerKeys<RsaKey>,
    /// Counts the fields of payments' events that could not be read.
    unreadable: Family<FieldLabels, Counter>,
    posts: Vec<String>,
    comments: Vec<String>,
}

impl MemberStatus {
    /// Builds the state of the methods over these services.
    pub fn new(
        config: &config::Status,
        payments: PaymentRules,
        services: &Services,
    ) -> MemberStatus {
        let help = "Fields of payments' events that could not be read and count as absent";
        let metrics = &services.metrics;
        MemberStatus {
            unreadable: metrics.metric("pointgate_payment_fields_skipped", help),
            coins: services.coins.clone(),
            members: services.members.clone(),
            payment_keys: services.keys.keys(
                FAMILY,
                pay_notify::SENDER,
                payments.keys.iter().cloned(),
                RsaKey::modulus,
            ),
            payments,
            posts: config.posts.clone(),
            comments: config.comments.clone(),
        }
    }
}

/// Adds the methods of member status.
///
/// # Errors
/// Returns the name that another method has already.
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
