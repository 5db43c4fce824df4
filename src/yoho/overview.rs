//! `app.yoho.yohocoin`: the coin balance of a user, and the part of it that expires at the end of this year.

use serde::Serialize;

use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::params;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// `app.yoho.yohocoin`.
pub struct Overview;

const NO_UID: Fault = Fault::new(404, "uid为空！");

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the user
        uid: Uid = required or NO_UID,
    }
}

/// The reply; `notice` is empty if no coins expire this year.
#[derive(Debug, Serialize)]
#[expect(non_snake_case, reason = "the names on the wire")]
pub struct Reply {
    nearExpCoinNum: i64,
    notice: String,
    yohocoin_num: i64,
}

impl Method for Overview {
    const NAME: &'static str = "app.yoho.yohocoin";
    const SUMMARY: &'static str = "coin balance of a user, and the part that expires this year";
    const EXAMPLE: &'static str = "uid=50030141";
    const MESSAGE: &'static str = "yoho coin total";
    type State = Coins;
    type Details = Delivery;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        coins: &Coins,
        Params { uid }: Params,
        context: Context<Delivery>,
    ) -> Result<Reply, CallError> {
        let account = Coins::account(uid);
        let (year, end) = coins.calendar.year(context.now);
        let near = coins.ledger.expiring(&account, end).await?;
        let notice = match near {
            0 => String::new(),
            near => format!("您有{near}个YOHO币即将于{year}年12月31日过期，请尽快使用"),
        };
        let balance = coins.ledger.balance(account).await?.unwrap_or(0);
        Ok(Reply {
            nearExpCoinNum: near,
            notice,
            yohocoin_num: balance,
        })
    }
}
