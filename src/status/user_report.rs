//! `status.user_report`: how much a member posted and commented.

use std::sync::Arc;

use jiff::ToSpan;
use serde::Serialize;

use super::values::{Day, UserKey};
use super::{NO_USER_KEY, Status};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::params::Text;
use crate::ledger::book::transaction::NEVER;
use crate::members::Name;
use crate::params;

/// The method.
pub struct UserReport(pub Arc<Status>);

const BAD_END: Fault = Fault::new(402, "end_date不合法");

params! {
    /// What it takes.
    pub struct Params {
        /// the member
        user_key: UserKey = required("user_key", NO_USER_KEY),
        /// the first day
        begin: Day = must("begin_date"),
        /// the last day
        end: Day = required("end_date", BAD_END),
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
pub struct Reply {
    begin_date: String,
    comment_count: u64,
    end_date: String,
    status_count: u64,
    user_key: String,
}

impl Method for UserReport {
    const NAME: &'static str = "status.user_report";
    const SUMMARY: &'static str = "how much a member posted and commented";
    const EXAMPLE: &'static str =
        "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&begin_date=2016-07-24&end_date=2016-07-30";
    const MESSAGE: &'static str = "ok";
    type Caller = Sent;
    type Params = Params;
    type Reply = Reply;

    async fn call(&self, params: Params, _: Sent) -> Result<Reply, CallError> {
        let (Text(user_key), Day(begin), Day(end)) = (params.user_key, params.begin, params.end);
        if end < begin {
            return Err(BAD_END.into());
        }
        let status = &self.0;
        let from = status.coins.start_of(begin).unwrap_or_default();
        let until = status.coins.start_of(end.saturating_add(1.day()));
        let until = until.unwrap_or(NEVER);
        let name = Name::Key(user_key.clone());
        let count = |actions| status.members.count_actions(&name, actions, from, until);
        Ok(Reply {
            begin_date: begin.to_string(),
            comment_count: count(&status.comments).await?,
            end_date: end.to_string(),
            status_count: count(&status.posts).await?,
            user_key,
        })
    }
}
