//! `app.yohocoin.total`: how many coins a user has.

use std::sync::Arc;

use serde::Serialize;

use crate::gateway::dialect::Sent;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::params;
use crate::points::{Coins, Uid};

/// The method.
pub struct Total(pub Arc<Coins>);

const NO_UID: Fault = Fault::with_data(404, "uid为空!");

params! {
    /// What it takes.
    pub struct Params {
        /// the user
        uid: Uid = required("uid", NO_UID),
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
pub struct Reply {
    code: &'static str,
    total: i64,
}

impl Method for Total {
    const NAME: &'static str = "app.yohocoin.total";
    const SUMMARY: &'static str = "how many coins a user has";
    const EXAMPLE: &'static str = "uid=50030141";
    const MESSAGE: &'static str = "yoho coin total";
    type Caller = Sent;
    type Params = Params;
    type Reply = Reply;

    async fn call(&self, Params { uid }: Params, _: Sent) -> Result<Reply, CallError> {
        let total = self
            .0
            .ledger
            .balance(Coins::account(uid))
            .await?
            .unwrap_or(0);
        // The document's answer carries this code, whoever asks.
        Ok(Reply {
            code: "20111130-152530",
            total,
        })
    }
}
