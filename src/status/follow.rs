//! `status.follow_public_account`: a member follows one of the public accounts.

use std::sync::Arc;

use serde::Serialize;

use super::values::{Account, UserKey};
use super::{NO_USER_KEY, Status, once};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::params::Text;
use crate::members::Name;
use crate::params;

/// The method.
pub struct Follow(pub Arc<Status>);

const BAD_ACCOUNT: Fault = Fault::new(403, "account不合法");

params! {
    /// What it takes.
    pub struct Params {
        /// the member
        user_key: UserKey = required("user_key", NO_USER_KEY),
        /// whom to follow
        account: Account = required("account", BAD_ACCOUNT),
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
pub struct Reply {
    account: &'static str,
    followed: bool,
}

impl Method for Follow {
    const NAME: &'static str = "status.follow_public_account";
    const SUMMARY: &'static str = "a member follows a public account";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&account=service";
    const MESSAGE: &'static str = "ok";
    type Caller = Sent;
    type Params = Params;
    type Reply = Reply;

    async fn call(&self, params: Params, sent: Sent) -> Result<Reply, CallError> {
        let (Text(user_key), Account(account)) = (params.user_key, params.account);
        let once = once(Self::NAME, &sent);
        let members = &self.0.members;
        members.follow(&Name::Key(user_key), account, once).await?;
        Ok(Reply {
            account,
            followed: true,
        })
    }
}
