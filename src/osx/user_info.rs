//! `/getUserInfo`: returns the profile of a community user, and all nine scores.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use serde::Serialize;

use super::Community;
use super::dialect::FORGED;
use super::profile::Profile;
use crate::config::SCORES;
use crate::gateway::context::Context;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::value::Text;
use crate::ledger::book::transaction::{Nonce, Transaction};
use crate::params;
use crate::points::call_error;

/// `/getUserInfo`. It writes which reading the signature has, since that would otherwise also open another user's profile.
pub struct GetUserInfo;

/// The path, which is the method's name.
pub const PATH: &str = "/getUserInfo";

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member whose profile is read
        user: Text<255> as "user_token" = required,
        /// the platform's session token; validated, not used
        _token: Option<Text<255>> as "token" = optional(None),
    }
}

/// The reply; profile fields that are unknown are left out.
#[derive(Debug, Serialize)]
#[expect(non_snake_case, reason = "the names on the wire")]
pub struct Reply {
    user_token: String,
    userInfo: UserInfo,
}

#[derive(Debug, Serialize)]
struct UserInfo {
    #[serde(flatten)]
    profile: Profile,
    #[serde(flatten)]
    scores: BTreeMap<String, String>,
}

impl Method for GetUserInfo {
    const NAME: &'static str = PATH;
    const SUMMARY: &'static str = "the profile and the scores of a user of the community";
    const EXAMPLE: &'static str = "user_token=14359234985";
    const MESSAGE: &'static str = "ok";
    type State = Community;
    type Details = Nonce;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        community: &Community,
        params: Params,
        context: Context<Nonce>,
    ) -> Result<Reply, CallError> {
        let Text(user_token) = params.user;
        let name = community.name(&user_token, "user_token")?;
        let read = Transaction {
            nonce: Some(context.details),
            ..Transaction::default()
        };
        let read = read.requested_by(context.request_id.shared(), context.origin);
        let read = community.coins.ledger.apply(read).await;
        read.map_err(|error| call_error(error, |_| FORGED.into()))?;
        let profile = community.profile(&name).await?;
        let balances = (0..SCORES).map(|score| {
            let account = community.account(&name, score);
            community.coins.ledger.balance(account)
        });
        let balances = try_join_all(balances).await?;
        let scores = (1..).zip(balances).map(|(score, balance)| {
            let balance = balance.unwrap_or_default();
            (format!("score{score}"), balance.to_string())
        });
        Ok(Reply {
            user_token,
            userInfo: UserInfo {
                profile,
                scores: scores.collect(),
            },
        })
    }
}
