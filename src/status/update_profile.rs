//! `status.update_profile`: sets a member's description, or clears it.

use serde::Serialize;

use super::values::{ProfileText, UserKey, or_empty};
use super::{MemberStatus, NO_USER_KEY, message_key};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::value::{OrEmpty, Text};
use crate::members::{MemberName, ProfileChange};
use crate::params;

/// `status.update_profile`.
pub struct UpdateProfile;

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member
        user_key: UserKey = required or NO_USER_KEY,
        /// the new description; empty clears it
        description: OrEmpty<ProfileText<1024>> = required,
    }
}

/// Confirms whose profile changed.
#[derive(Debug, Serialize)]
pub struct Reply {
    user_key: String,
}

impl Method for UpdateProfile {
    const NAME: &'static str = "status.update_profile";
    const SUMMARY: &'static str = "set the description of a member";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&description=hello";
    const MESSAGE: &'static str = "ok";
    type State = MemberStatus;
    type Details = Delivery;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        status: &MemberStatus,
        params: Params,
        context: Context<Delivery>,
    ) -> Result<Reply, CallError> {
        let Text(user_key) = params.user_key;
        let change = ProfileChange {
            signature: Some(or_empty(params.description, |ProfileText(text)| text)),
            ..ProfileChange::default()
        };
        let name = MemberName::UserKey(user_key.clone());
        let key = message_key(Self::NAME, &context);
        status.members.set_profile(&name, change, key).await?;
        Ok(Reply { user_key })
    }
}
