//! `user.user-points-records`: the point history of a user, newest first. The document gives one Action two forms of reply.

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

/// The default page size.
const PAGE_SIZE: i64 = 10;
/// The largest page size.
const MAX_PAGE_SIZE: i64 = 100;

/// The direction of rows: `all`, `in` or `out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFilter(Option<Direction>);

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the owner of the records
        user: Uid as "user_id" = required,
        /// page size: 1 to 100, a smaller one means 10
        page_size: i64 = optional(PAGE_SIZE),
        /// page number from 1; a smaller one means 1
        page: i64 = optional(1),
        /// direction of rows; its presence selects the short reply
        filter: Option<RecordFilter> as "type" = optional(None),
    }
}

/// A page of records in one of two forms.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// The reply without `type`.
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
    /// The reply with `type`. It has the rows twice, because the document's sample and its table disagree on their place.
    Short {
        /// The rows at the sample's place.
        data: Rows,
        /// The rows at the table's place.
        item_list: Vec<ShortRow>,
    },
}

/// The object `data` of the document's sample.
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
    const SUMMARY: &'static str = "point history of a user, newest first";
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
        // The protocol clamps: a size below 1 becomes 10, one above 100 becomes 100.
        let size = match params.page_size {
            ..1 => PAGE_SIZE,
            size => size.min(MAX_PAGE_SIZE),
        };
        let range = Range {
            account: Coins::account(params.user),
            direction: params.filter.and_then(|RecordFilter(direction)| direction),
            from: None,
            until: None,
            skip: (page - 1).saturating_mul(size),
            limit: size,
        };
        let found = coins.ledger.history(&range).await?;
        let Some(Page { total, entries, .. }) = found else {
            return Err(context.details.reject(&coins.ledger, UNKNOWN_USER).await);
        };
        let reply = match params.filter {
            None => Reply::Long {
                current_page: page,
                per_page: size,
                last_page: (total.saturating_add(size - 1) / size).max(1),
                total,
                item_list: entries
                    .into_iter()
                    .map(|row| long_row(coins, row))
                    .collect(),
            },
            Some(_) => {
                let rows: Vec<ShortRow> = entries
                    .into_iter()
                    .map(|row| short_row(coins, row))
                    .collect();
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
            .spend_alone(&coins.ledger, (&context.request_id, &context.origin))
            .await?;
        Ok(reply)
    }
}

fn long_row(coins: &Coins, row: Row) -> LongRow {
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
        created_at: coins.calendar.format(row.at),
        change_text: message,
    }
}

fn short_row(coins: &Coins, row: Row) -> ShortRow {
    let (_, message) = coins.texts(row.reason, row.reference.as_deref(), row.message);
    ShortRow {
        r#type: row.direction,
        created_at: coins.calendar.format(row.at),
        points: row.amount.abs(),
        source_desc: message,
    }
}

impl Value for RecordFilter {
    fn kind() -> std::borrow::Cow<'static, str> {
        "all, in or out".into()
    }

    fn read(raw: &Raw<'_>) -> Result<RecordFilter, Invalid> {
        match raw {
            Raw::Text(text) => match text.as_ref() {
                "all" => Ok(RecordFilter(None)),
                "in" => Ok(RecordFilter(Some(Direction::Income))),
                "out" => Ok(RecordFilter(Some(Direction::Expense))),
                _ => Err(Invalid::Wrong),
            },
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => Err(Invalid::Wrong),
        }
    }
}
