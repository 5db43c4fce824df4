//! `status.user_report`: counts a member's posts and comments in the community between two days.

use jiff::ToSpan;
use serde::Serialize;

use super::values::{Day, UserKey};
use super::{MemberStatus, NO_USER_KEY};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::Text;
use crate::ledger::book::transaction::NEVER;
use crate::members::MemberName;
use crate::params;

/// `status.user_report`.
pub struct UserReport;

const BAD_END: Fault = Fault::new(402, "end_date不合法");

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member
        user_key: UserKey = required or NO_USER_KEY,
        /// first day
        begin: Day as "begin_date" = required,
        /// last day, included
        end: Day as "end_date" = required or BAD_END,
    }
}

/// The counted posts (`status_count`) and comments.
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
    const SUMMARY: &'static str = "count the posts and comments of a member";
    const EXAMPLE: &'static str =
        "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&begin_date=2016-07-24&end_date=2016-07-30";
    const MESSAGE: &'static str = "ok";
    type State = MemberStatus;
    type Details = Delivery;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        status: &MemberStatus,
        params: Params,
        _context: Context<Delivery>,
    ) -> Result<Reply, CallError> {
        let (Text(user_key), Day(begin), Day(end)) = (params.user_key, params.begin, params.end);
        if end < begin {
            return Err(BAD_END.into());
        }
        let from = status.coins.calendar.start_of(begin).unwrap_or(NEVER);
        let until = status.coins.calendar.start_of(end.saturating_add(1.day()));
        let until = until.unwrap_or(NEVER);
        let name = MemberName::UserKey(user_key.clone());
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
