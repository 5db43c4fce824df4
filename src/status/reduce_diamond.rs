//! `status.reduce_diamond`: diamonds are taken from a member, or an addition of diamonds is taken back.

use std::sync::Arc;

use super::diamonds::{BAD_COUNT, Change, Diamonds, identity_key};
use super::values::{ChangeType, Identity, UserKey};
use super::{NO_USER_KEY, Status, once};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::params::{Flag, Text, Within};
use crate::params;
use crate::points::Credit;

/// The method.
pub struct ReduceDiamond(pub Arc<Status>);

const NO_IDENTITY: Fault = Fault::new(405, "identity不能为空");

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
        /// only where an addition of the same change_type and identity stands
        with_prevent: Flag = may("with_prevent", Flag(false)),
    }
}

impl Method for ReduceDiamond {
    const NAME: &'static str = "status.reduce_diamond";
    const SUMMARY: &'static str = "diamonds are taken from a member";
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
        let Flag(with_prevent) = params.with_prevent;
        if with_prevent && identity.is_none() {
            return Err(NO_IDENTITY.into());
        }
        let key = |what| {
            let identity = identity?;
            Some(identity_key(what, &user_key, &change_type, identity))
        };
        let change = Change {
            count: -count,
            change_type: Some(&change_type),
            identity,
            once: key("reduce").or(once(Self::NAME, &sent)),
            requires: key("add").filter(|_| with_prevent),
            user_key: user_key.clone(),
        };
        self.0.change_diamonds(change).await
    }
}
