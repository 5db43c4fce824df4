//! `app.yohocoin.lists`: a user's coin history, newest first.

use jiff::ToSpan;
use serde::Serialize;

use super::values::DayBound;
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::Within;
use crate::ledger::read::history::{Direction, Range};
use crate::params;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// `app.yohocoin.lists`.
pub struct Lists;

const NO_UID: Fault = Fault::with_data(404, "uid为空！");
const BAD_QUERY_TYPE: Fault = Fault::new(403, "queryType不合法");
const BAD_BEGIN: Fault = Fault::new(402, "beginTime不合法");
const BAD_END: Fault = Fault::new(402, "endTime不合法");
/// The default page size.
const LIMIT: i64 = 20;
/// The largest page size.
const MAX_LIMIT: i64 = 100;

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the user
        uid: Uid = required or NO_UID,
        /// page number from 1; a smaller one means 1
        page: i64 = optional(1) wrong => default,
        /// page size: 1 to 100, a smaller one means 20
        limit: i64 = optional(20) wrong => default,
        /// 0 all rows, 1 income, 2 expenses
        query_type: Within<0, 2> as "queryType" = optional(Within(0)) wrong => BAD_QUERY_TYPE,
        /// first day, 0 = no bound
        begin: DayBound as "beginTime" = optional(DayBound(None)) wrong => BAD_BEGIN,
        /// last day, included; 0 = no bound
        end: DayBound as "endTime" = optional(DayBound(None)) wrong => BAD_END,
    }
}

/// The reply. `page_total` is the number of rows on this page, `total` the number of all matching rows.
#[derive(Debug, Serialize)]
pub struct Reply {
    coinlist: Vec<Row>,
    limit: i64,
    page: i64,
    page_total: usize,
    total: i64,
}

#[derive(Debug, Serialize)]
struct Row {
    date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    message: String,
    num: i64,
    title: String,
    r#type: i64,
}

impl Method for Lists {
    const NAME: &'static str = "app.yohocoin.lists";
    const SUMMARY: &'static str = "coin history of a user, newest first";
    const EXAMPLE: &'static str =
        "uid=50030147&page=1&limit=20&queryType=0&beginTime=2016-05-18&endTime=0";
    const MESSAGE: &'static str = "yoho coin list";
    type State = Coins;
    type Details = Delivery;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        coins: &Coins,
        params: Params,
        _context: Context<Delivery>,
    ) -> Result<Reply, CallError> {
        let page = params.page.max(1);
        // The protocol clamps: a limit below 1 becomes 20, one above 100 becomes 100.
        let limit = if params.limit < 1 {
            LIMIT
        } else {
            params.limit.min(MAX_LIMIT)
        };
        let range = Range {
            account: Coins::account(params.uid),
            direction: match params.query_type {
                Within(1) => Some(Direction::Income),
                Within(2) => Some(Direction::Expense),
                Within(_) => None,
            },
            from: params.begin.0.and_then(|day| coins.calendar.start_of(day)),
            until: params
                .end
                .0
                .and_then(|day| coins.calendar.start_of(day.saturating_add(1.day()))),
            skip: (page - 1).saturating_mul(limit),
            limit,
        };
        let found = coins.ledger.history(&range).await?.unwrap_or_default();
        let rows = found.entries.into_iter().map(|entry| {
            let (title, message) =
                coins.texts(entry.reason, entry.reference.as_deref(), entry.message);
            Row {
                date: coins.calendar.format(entry.at),
                key: entry.reference,
                message,
                num: entry.amount,
                title,
                r#type: entry.reason.0,
            }
        });
        let coinlist: Vec<Row> = rows.collect();
        Ok(Reply {
            page_total: coinlist.len(),
            coinlist,
            limit,
            page,
            total: found.total,
        })
    }
}
