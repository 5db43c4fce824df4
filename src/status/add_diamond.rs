//! `status.add_diamond`: adds diamonds to a member.

use super::diamonds::{BAD_COUNT, DiamondChange, Diamonds, identity_key};
use super::values::{ChangeType, ObjectId, UserKey};
use super::{MemberStatus, NO_USER_KEY, message_key};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::value::{Text, Within};
use crate::params;
use crate::points::values::Credit;

/// `status.add_diamond`.
pub struct AddDiamond;

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member
        user_key: UserKey = required or NO_USER_KEY,
        /// diamonds to add
        count: Credit = required or BAD_COUNT,
        /// the sender's name for the cause
        change_type: ChangeType = required,
        /// idempotency key: object of the change, such as a post
        identity: Option<ObjectId> = optional(None),
    }
}

impl Method for AddDiamond {
    const NAME: &'static str = "status.add_diamond";
    const SUMMARY: &'static str = "add diamonds to a member";
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
        let key = identity.map(|identity| identity_key("add", &user_key, &change_type, identity));
        let change = DiamondChange {
            context: &context,
            user_key,
            count,
            change_type: Some(&change_type),
            identity,
            identity_key: key,
            message: message_key(Self::NAME, &context),
            requires: None,
        };
        status.change_diamonds(change).await
    }
}
