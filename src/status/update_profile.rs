//! `status.update_profile`: a member's line about oneself.

use std::sync::Arc;

use serde::Serialize;

use super::values::UserKey;
use super::{NO_USER_KEY, Status, once};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::params::Text;
use crate::members::{Name, ProfileChange};
use crate::params;

/// The method.
pub struct UpdateProfile(pub Arc<Status>);

params! {
    /// What it takes.
    pub struct Params {
        /// the member
        user_key: UserKey = required("user_key", NO_USER_KEY),
        /// the line
        description: Text<1024> = must("description"),
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
pub struct Reply {
    user_key: String,
}

impl Method for UpdateProfile {
    const NAME: &'static str = "status.update_profile";
    const SUMMARY: &'static str = "a member's line about oneself";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&description=hello";
    const MESSAGE: &'static str = "ok";
    type Caller = Sent;
    type Params = Params;
    type Reply = Reply;

    async fn call(&self, params: Params, sent: Sent) -> Result<Reply, CallError> {
        let (Text(user_key), Text(description)) = (params.user_key, params.description);
        let change = ProfileChange {
            signature: Some(description),
            ..ProfileChange::default()
        };
        let name = Name::Key(user_key.clone());
        let once = once(Self::NAME, &sent);
        self.0.members.set_profile(&name, change, once).await?;
        Ok(Reply { user_key })
    }
}
