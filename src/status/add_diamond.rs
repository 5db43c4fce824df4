//! `status.add_diamond`: a member gets diamonds.

use std::sync::Arc;

use super::diamonds::{BAD_COUNT, Change, Diamonds, identity_key};
use super::values::{ChangeType, Identity, UserKey};
use super::{NO_USER_KEY, Status, once};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::params::{Text, Within};
use crate::params;
use crate::points::Credit;

/// The method.
pub struct AddDiamond(pub Arc<Status>);

params! {
    /// What it takes.
    pub struct Params {
        /// the member
        user_key: UserKey = required("user_key", NO_USER_KEY),
        /// how many
        count: Credit = required("count", BAD_COUNT),
        /// what for
        change_type: ChangeType = must("change_type"),
        /// what it belongs to: the same one counts once
        identity: Option<Identity> = may("identity", None),
    }
}

impl Method for AddDiamond {
    const NAME: &'static str = "status.add_diamond";
    const SUMMARY: &'static str = "a member gets diamonds";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&count=100&change_type=STEP_DIAMOND&identity=5";
    const MESSAGE: &'static str = "ok";
    type Caller = Sent;
    type Params = Params;
    type Reply = Diamonds;

    async fn call(&self, params: Params, sent: Sent) -> Result<Diamonds, CallError> {
        let (Text(user_key), Text(change_type)) = (params.user_key, params.change_type);
        let Within(count) = params.count;
        let identity = params
            .identity
            .as_ref()
            .map(|Text(identity)| identity.as_str());
        let own = identity.map(|identity| identity_key("add", &user_key, &change_type, identity));
        let change = Change {
            user_key,
            count,
            change_type: Some(&change_type),
            identity,
            once: own.or(once(Self::NAME, &sent)),
            requires: None,
        };
        self.0.change_diamonds(change).await
    }
}
