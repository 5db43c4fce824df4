//! `app.yoho.yohocoin`: how many coins a user has, and how many of them lapse by the end of this year.

use std::sync::Arc;

use serde::Serialize;

use crate::gateway::dialect::Sent;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::params;
use crate::points::{Coins, Uid};

/// The method.
pub struct Overview(pub Arc<Coins>);

const NO_UID: Fault = Fault::new(404, "uid为空!");

params! {
    /// What it takes.
    pub struct Params {
        /// the user
        uid: Uid = required("uid", NO_UID),
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
#[expect(non_snake_case, reason = "the names on the wire")]
pub struct Reply {
    nearExpCoinNum: i64,
    notice: String,
    yohocoin_num: i64,
}

impl Method for Overview {
    const NAME: &'static str = "app.yoho.yohocoin";
    const SUMMARY: &'static str = "how many coins a user has, and how many lapse this year";
    const EXAMPLE: &'static str = "uid=50030141";
    const MESSAGE: &'static str = "yoho coin total";
    type Caller = Sent;
    type Params = Params;
    type Reply = Reply;

    async fn call(&self, Params { uid }: Params, _: Sent) -> Result<Reply, CallError> {
        let account = Coins::account(uid);
        let (year, end) = self.0.this_year();
        let near = self.0.ledger.lapsing(&account, end).await?;
        let notice = match near {
            0 => String::new(),
            near => format!("您有{near}个YOHO币即将于{year}年12月31日过期,请尽快使用"),
        };
        let balance = self.0.ledger.balance(account).await?.unwrap_or(0);
        Ok(Reply {
            nearExpCoinNum: near,
            notice,
            yohocoin_num: balance,
        })
    }
}
