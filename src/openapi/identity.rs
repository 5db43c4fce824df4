//! `communal.user.identity`: looks up a user and returns the id and the points.

use serde::Serialize;

use super::caller::Caller;
use super::{SUCCESS, UNKNOWN_USER, missing_parameter};
use crate::gateway::context::Context;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::value::Within;
use crate::params;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// `communal.user.identity`.
pub struct Identity;

/// Identification by `user_id`, the only supported kind. The others (1 mobile number, 2 card, 3 code) find no user.
const BY_USER_ID: i64 = 4;

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// kind of identification: 4 = user_id; 1 to 3 find no user
        kind: Within<1, 4> as "type" = required,
        /// the user; required if type is 4
        user: Option<Uid> as "user_id" = optional(None),
    }
}

/// The user who was found.
#[derive(Debug, Serialize)]
pub struct Reply {
    user_info: User,
}

#[derive(Debug, Serialize)]
struct User {
    id: i64,
    user_points: i64,
}

impl Method for Identity {
    const NAME: &'static str = "communal.user.identity";
    const SUMMARY: &'static str = "look up a user by user_id";
    const EXAMPLE: &'static str = "type=4&user_id=50030199";
    const MESSAGE: &'static str = SUCCESS;
    type State = Coins;
    type Details = Caller;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        coins: &Coins,
        params: Params,
        context: Context<Caller>,
    ) -> Result<Reply, CallError> {
        let Params {
            kind: Within(kind),
            user,
        } = params;
        let ledger = &coins.ledger;
        let known = match (kind, user) {
            (BY_USER_ID, None) => return Err(missing_parameter("user_id").into()),
            (BY_USER_ID, Some(user)) => {
                let points = ledger.balance(Coins::account(user)).await?;
                points.map(|points| (user, points))
            }
            _ => None,
        };
        let Some((user, user_points)) = known else {
            return Err(context.details.reject(ledger, UNKNOWN_USER).await);
        };
        context
            .details
            .spend_alone(ledger, (&context.request_id, &context.origin))
            .await?;
        let user_info = User {
            id: user.0,
            user_points,
        };
        Ok(Reply { user_info })
    }
}
