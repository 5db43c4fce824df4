//! `status.extend_light`: lights a member's avatar for more days.

use jiff::civil::{Date, date};
use serde::Serialize;

use super::values::UserKey;
use super::{MemberStatus, NO_USER_KEY, message_key};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::value::{Text, Within};
use crate::ledger::book::transaction::NEVER;
use crate::members::{Light, MemberName};
use crate::params;

/// `status.extend_light`.
pub struct ExtendLight;

/// A day (ms).
const DAY: i64 = 86_400_000;
/// The first day without light: no light lasts longer than the last second before it.
const FIRST_DARK_DAY: Date = date(3000, 1, 1);

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member
        user_key: UserKey = required or NO_USER_KEY,
        /// days to add
        time: Within<1, 36_500> = required,
    }
}

/// The reply: the end of the light in the company's time zone.
#[derive(Debug, Serialize)]
pub struct Reply {
    light_until: String,
}

impl Method for ExtendLight {
    const NAME: &'static str = "status.extend_light";
    const SUMMARY: &'static str = "light the avatar of a member for more days";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&time=10";
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
        let (Text(user_key), Within(days)) = (params.user_key, params.time);
        let MemberStatus { members, coins, .. } = status;
        let key = message_key(Self::NAME, &context);
        let name = MemberName::UserKey(user_key);
        let dark = coins.calendar.start_of(FIRST_DARK_DAY).unwrap_or(NEVER);
        let light = Light {
            time: days * DAY,
            last: dark - 1000,
        };
        let until = members.extend_light(&name, light, key).await?;
        Ok(Reply {
            light_until: coins.calendar.format(until),
        })
    }
}
