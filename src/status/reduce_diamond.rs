//! `status.reduce_diamond`: takes diamonds from a member, optionally no more than an earlier addition brought.

use super::diamonds::{BAD_COUNT, DiamondChange, Diamonds, addition, identity_key};
use super::values::{ChangeType, ObjectId, UserKey};
use super::{MemberStatus, NO_USER_KEY, message_key};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::{Flag, Text, Within};
use crate::params;
use crate::points::values::Credit;

/// `status.reduce_diamond`.
pub struct ReduceDiamond;

const NO_IDENTITY: Fault = Fault::new(405, "identity不能为空");

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member
        user_key: UserKey = required or NO_USER_KEY,
        /// diamonds to take
        count: Credit = required or BAD_COUNT,
        /// the sender's name for the cause
        change_type: ChangeType = required,
        /// idempotency key: object of the change, such as a post
        identity: Option<ObjectId> = optional(None),
        /// true = only what is left of the addition with this change_type and identity
        with_prevent: Flag = optional(Flag(false)),
    }
}

impl Method for ReduceDiamond {
    const NAME: &'static str = "status.reduce_diamond";
    const SUMMARY: &'static str = "take diamonds from a member, or take an addition back";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&count=100&change_type=STEP_DIAMOND&identity=5";
    const MESSAGE: &'static str = "ok";
    type State = MemberStatus;
    type Details = Delivery;
    type Params = Params;
    type Reply = Diamonds;

    async fn call(
        status: &MemberStatus,
        params: Params,
        context: Context<Delivery>,
    ) -> Result<Diamonds, CallError> {
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
        let key = identity.map(|it| identity_key("reduce", &user_key, &change_type, it));
        let requires = identity.filter(|_| with_prevent);
        let requires = requires.map(|it| addition(&user_key, &change_type, it, count));
        let change = DiamondChange {
            context: &context,
            count: -count,
            change_type: Some(&change_type),
            identity,
            identity_key: key,
            message: message_key(Self::NAME, &context),
            requires,
            user_key: user_key.clone(),
        };
        status.change_diamonds(change).await
    }
}
