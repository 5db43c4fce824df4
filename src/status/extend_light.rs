//! `status.extend_light`: a member's avatar is lit for some days more.

use std::sync::Arc;

use serde::Serialize;

use super::values::UserKey;
use super::{NO_USER_KEY, Status, once};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::params::{Text, Within};
use crate::members::Name;
use crate::params;

/// The method.
pub struct ExtendLight(pub Arc<Status>);

const DAY: i64 = 86_400_000;

params! {
    /// What it takes.
    pub struct Params {
        /// the member
        user_key: UserKey = required("user_key", NO_USER_KEY),
        /// how many days
        time: Within<1, 36_500> = must("time"),
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
pub struct Reply {
    light_until: String,
}

impl Method for ExtendLight {
    const NAME: &'static str = "status.extend_light";
    const SUMMARY: &'static str = "a member's avatar is lit for some days more";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&time=10";
    const MESSAGE: &'static str = "ok";
    type Caller = Sent;
    type Params = Params;
    type Reply = Reply;

    async fn call(&self, params: Params, sent: Sent) -> Result<Reply, CallError> {
        let (Text(user_key), Within(days)) = (params.user_key, params.time);
        let Status { members, coins, .. } = &*self.0;
        let once = once(Self::NAME, &sent);
        let name = Name::Key(user_key);
        let until = members.extend_light(&name, days * DAY, once).await?;
        Ok(Reply {
            light_until: coins.write_time(until),
        })
    }
}
