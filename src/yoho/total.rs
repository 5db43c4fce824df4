//! `app.yohocoin.total`: the coin balance of a user.

use serde::Serialize;

use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::params;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// `app.yohocoin.total`.
pub struct Total;

const NO_UID: Fault = Fault::with_data(404, "uid为空！");

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the user
        uid: Uid = required or NO_UID,
    }
}

/// The reply; `total` is 0 for an unknown user.
#[derive(Debug, Serialize)]
pub struct Reply {
    code: &'static str,
    total: i64,
}

impl Method for Total {
    const NAME: &'static str = "app.yohocoin.total";
    const SUMMARY: &'static str = "coin balance of a user";
    const EXAMPLE: &'static str = "uid=50030141";
    const MESSAGE: &'static str = "yoho coin total";
    type State = Coins;
    type Details = Delivery;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        coins: &Coins,
        Params { uid }: Params,
        _context: Context<Delivery>,
    ) -> Result<Reply, CallError> {
        let total = coins
            .ledger
            .balance(Coins::account(uid))
            .await?
            .unwrap_or(0);
        // A constant of the document.
        Ok(Reply {
            code: "20111130-152530",
            total,
        })
    }
}
