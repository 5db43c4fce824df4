//! `user.user-points-records`: a user's points, newest first, in the two forms that the document gives to one Action.

use serde::Serialize;

use super::caller::Caller;
use super::{SUCCESS, UNKNOWN_USER};
use crate::gateway::context::Context;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::parameters::Raw;
use crate::gateway::value::{Invalid, Value};
use crate::ledger::read::history::{Direction, Page, Range, Row};
use crate::params;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// `user.user-points-records`.
pub struct Records;

/// The default and the largest page size.
const ROWS: i64 = 10;
const MOST_ROWS: i64 = 100;

/// The direction of rows: `all`, `in` or `out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFilter(Option<Direction>);

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the user
        user: Uid as "user_id" = required,
        /// page size, at most 100
        page_size: i64 = optional(ROWS),
        /// page number, from 1
        page: i64 = optional(1),
        /// direction of rows; present = the short form of the reply
        which: Option<RecordFilter> as "type" = optional(None),
    }
}

/// The reply.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// Without `type`.
    Long {
        /// The number of this page.
        current_page: i64,
        /// The page size.
        per_page: i64,
        /// The number of the last page; 1 for an empty history.
        last_page: i64,
        /// The number of all rows.
        total: i64,
        /// The rows of this page, newest first.
        item_list: Vec<LongRow>,
    },
    /// With `type`: the rows stand twice, where the document's sample and where its table has them.
    Short {
        /// Where the sample has them.
        data: Rows,
        /// Where the table has them.
        item_list: Vec<ShortRow>,
    },
}

/// The rows where the document's sample has them.
#[derive(Debug, Serialize)]
pub struct Rows {
    item_list: Vec<ShortRow>,
}

/// A row of the long form.
#[derive(Debug, Serialize)]
pub struct LongRow {
    previous_point: i64,
    r#type: i64,
    sub_type: i64,
    sub_name: String,
    points: i64,
    desc: String,
    created_at: String,
    change_text: String,
}

/// A row of the short form.
#[derive(Clone, Debug, Serialize)]
pub struct ShortRow {
    r#type: i64,
    created_at: String,
    points: i64,
    source_desc: String,
}

impl Method for Records {
    const NAME: &'static str = "user.user-points-records";
    const SUMMARY: &'static str = "a user's points, newest first";
    const EXAMPLE: &'static str = "user_id=50030199&page_size=10&page=1";
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
        let page = params.page.max(1);
        // As in the coins' lists: an invalid size falls back to 10, one that is too large to 100.
        let size = match params.page_size {
            ..1 => ROWS,
            size => size.min(MOST_ROWS),
        };
        let range = Range {
            account: Coins::account(params.user),
            direction: params.which.and_then(|RecordFilter(direction)| direction),
            from: None,
            until: None,
            skip: (page - 1).saturating_mul(size),
            limit: size,
        };
        let found = coins.ledger.history(&range).await?;
        let Some(Page { total, entries }) = found else {
            return Err(context.details.refusal(&coins.ledger, UNKNOWN_USER).await);
        };
        let reply = match params.which {
            None => Reply::Long {
                current_page: page,
                per_page: size,
                last_page: (total.saturating_add(size - 1) / size).max(1),
                total,
                item_list: entries.into_iter().map(|row| long(coins, row)).collect(),
            },
            Some(_) => {
                let rows: Vec<ShortRow> =
                    entries.into_iter().map(|row| short(coins, row)).collect();
                Reply::Short {
                    data: Rows {
                        item_list: rows.clone(),
                    },
                    item_list: rows,
                }
            }
        };
        context
            .details
            .spend_alone(&coins.ledger, &context.request_id)
            .await?;
        Ok(reply)
    }
}

fn long(coins: &Coins, row: Row) -> LongRow {
    let (title, message) = coins.texts(row.reason, row.reference.as_deref(), row.message);
    let sub_type = match row.reason.0 {
        _ if row.amount > 0 => 0,
        // 兑换电子券: a coupon.
        21 => 1,
        // An order: 下单使用, 兑换实物, 兑换话费.
        9 | 19 | 20 => 2,
        // Points that expired or went into a raffle bought nothing.
        _ => 0,
    };
    LongRow {
        previous_point: row.balance_after - row.amount,
        r#type: row.direction,
        sub_type,
        sub_name: match sub_type {
            0 => String::new(),
            _ => message.clone(),
        },
        points: row.amount.abs(),
        desc: title,
        created_at: coins.calendar.write(row.at),
        change_text: message,
    }
}

fn short(coins: &Coins, row: Row) -> ShortRow {
    let (_, message) = coins.texts(row.reason, row.reference.as_deref(), row.message);
    ShortRow {
        r#type: row.direction,
        created_at: coins.calendar.write(row.at),
        points: row.amount.abs(),
        source_desc: message,
    }
}

impl Value for RecordFilter {
    fn kind() -> std::borrow::Cow<'static, str> {
        "all, in or out".into()
    }

    fn read(raw: &Raw) -> Result<RecordFilter, Invalid> {
        match raw {
            Raw::Text(text) => match text.as_str() {
                "all" => Ok(RecordFilter(None)),
                "in" => Ok(RecordFilter(Some(Direction::Income))),
                "out" => Ok(RecordFilter(Some(Direction::Expense))),
                _ => Err(Invalid::Wrong),
            },
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => Err(Invalid::Wrong),
        }
    }
}
