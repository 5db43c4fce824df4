//! `status.follow_public_account`: a member follows one of the public accounts.

use serde::Serialize;

use super::values::{PublicAccount, UserKey};
use super::{MemberStatus, NO_USER_KEY, message_key};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::Text;
use crate::members::MemberName;
use crate::params;

/// `status.follow_public_account`.
pub struct Follow;

const BAD_ACCOUNT: Fault = Fault::new(403, "account不合法");

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member
        user_key: UserKey = required or NO_USER_KEY,
        /// the public account
        account: PublicAccount = required or BAD_ACCOUNT,
    }
}

/// The reply; `followed` is true for a repetition too.
#[derive(Debug, Serialize)]
pub struct Reply {
    account: &'static str,
    followed: bool,
}

impl Method for Follow {
    const NAME: &'static str = "status.follow_public_account";
    const SUMMARY: &'static str = "follow a public account";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&account=service";
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
        let (Text(user_key), PublicAccount(account)) = (params.user_key, params.account);
        let key = message_key(Self::NAME, &context);
        let members = &status.members;
        members
            .follow(&MemberName::UserKey(user_key), account, key)
            .await?;
        Ok(Reply {
            account,
            followed: true,
        })
    }
}
