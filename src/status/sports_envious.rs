//! `status.sports_envious.v2`: diamonds for sports, or against it.

use std::borrow::Cow;
use std::sync::Arc;

use super::diamonds::{Change, Diamonds, MOST};
use super::values::UserKey;
use super::{NO_USER_KEY, Status, once};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::params::{Bad, Raw, Text, Value};
use crate::params;

/// The method.
pub struct SportsEnvious(pub Arc<Status>);

/// Diamonds that come or, negative, go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envious(i64);

params! {
    /// What it takes.
    pub struct Params {
        /// the member
        user_key: UserKey = required("user_key", NO_USER_KEY),
        /// how many: positive comes, negative goes
        envious: Envious = must("envious"),
    }
}

impl Value for Envious {
    fn kind() -> Cow<'static, str> {
        "whole number, not 0".into()
    }

    fn read(raw: &Raw) -> Result<Self, Bad> {
        match i64::read(raw)? {
            number if number != 0 && (-MOST..=MOST).contains(&number) => Ok(Envious(number)),
            _ => Err(Bad::Wrong),
        }
    }
}

impl Method for SportsEnvious {
    const NAME: &'static str = "status.sports_envious.v2";
    const SUMMARY: &'static str = "diamonds for sports, or against it";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&envious=100";
    const MESSAGE: &'static str = "ok";
    type Caller = Sent;
    type Params = Params;
    type Reply = Diamonds;

    async fn call(&self, params: Params, sent: Sent) -> Result<Diamonds, CallError> {
        let (Text(user_key), Envious(count)) = (params.user_key, params.envious);
        let change = Change {
            user_key,
            count,
            change_type: None,
            identity: None,
            once: once(Self::NAME, &sent),
            requires: None,
        };
        self.0.change_diamonds(change).await
    }
}
