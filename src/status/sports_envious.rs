//! `status.sports_envious.v2`: adds diamonds for sports, or takes some.

use super::diamonds::{DiamondChange, Diamonds, MAX_DIAMONDS};
use super::values::UserKey;
use super::{MemberStatus, NO_USER_KEY, message_key};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::parameters::Raw;
use crate::gateway::value::{Invalid, Text, Value};
use crate::params;
use std::borrow::Cow;

/// `status.sports_envious.v2`.
pub struct SportsEnvious;

/// Diamonds to add, or to take if negative: not 0, at most 1,000,000,000 either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envious(i64);

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member
        user_key: UserKey = required or NO_USER_KEY,
        /// diamonds to add, or to take if negative; at most 1000000000
        envious: Envious = required,
    }
}

impl Value for Envious {
    fn kind() -> Cow<'static, str> {
        "whole number, not 0".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        match i64::read(raw)? {
            number if number != 0 && (-MAX_DIAMONDS..=MAX_DIAMONDS).contains(&number) => {
                Ok(Envious(number))
            }
            _ => Err(Invalid::Wrong),
        }
    }
}

impl Method for SportsEnvious {
    const NAME: &'static str = "status.sports_envious.v2";
    const SUMMARY: &'static str = "add diamonds for sports, or take some";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&envious=100";
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
        let (Text(user_key), Envious(count)) = (params.user_key, params.envious);
        let change = DiamondChange {
            context: &context,
            user_key,
            count,
            change_type: None,
            identity: None,
            identity_key: None,
            message: message_key(Self::NAME, &context),
            requires: None,
        };
        status.change_diamonds(change).await
    }
}
