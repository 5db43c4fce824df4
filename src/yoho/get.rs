//! `app.yohocoin.get`, also called `add`: a user earns coins for checking in at a place or for a good review.

use std::sync::Arc;

use super::balance::{Balance, post};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::params::{Text, Within};
use crate::ledger::book::transaction::{Posting, PostingKind, Reason, Rejection};
use crate::params;
use crate::points::{Coins, Credit, Uid};

/// The method.
pub struct Get(pub Arc<Coins>);

const NO_UID: Fault = Fault::new(400, "请先登录");
const BAD_NUM: Fault = Fault::new(402, "获取的有货币不合法");
const BAD_TYPE: Fault = Fault::new(403, "type不合法");
const NO_REFERENCE: Fault = Fault::new(405, "referenceId不能为空");
const REFERENCE_USED: Fault = Fault::new(410, "referenceId已被使用");

params! {
    /// What it takes.
    pub struct Params {
        /// the user
        uid: Uid = required("uid", NO_UID),
        /// how many coins
        num: Credit = required("num", BAD_NUM),
        /// 17 check-in at a place, 18 good review
        kind: Within<17, 18> = required("type", BAD_TYPE),
        /// the place or the review
        reference: Text<128> = required("referenceId", NO_REFERENCE),
        /// the back-office user who does it
        pid: Option<i64> = default("pid", None),
        /// a text for the history, instead of the type's
        message: Option<Text<255>> = default("message", None),
    }
}

impl Method for Get {
    const NAME: &'static str = "app.yohocoin.get";
    const ALIASES: &'static [&'static str] = &["app.yohocoin.add"];
    const SUMMARY: &'static str = "a user earns coins";
    const EXAMPLE: &'static str = "uid=50030199&num=100&type=18&referenceId=123456789&pid=11111111";
    const MESSAGE: &'static str = "ok";
    type Caller = Sent;
    type Params = Params;
    type Reply = Balance;

    async fn call(&self, params: Params, _: Sent) -> Result<Balance, CallError> {
        let Params {
            uid,
            num: Within(amount),
            kind: Within(kind),
            reference: Text(reference),
            pid,
            message,
        } = params;
        let posting = Posting {
            account: Coins::account(uid),
            kind: PostingKind::Earn {
                amount,
                expires_at: self.0.expires_at(),
            },
            reason: Reason(kind),
            idempotency: self.0.once(
                Reason(kind),
                uid,
                &["reference", &reference],
                &[&amount.to_string()],
            ),
            requires: None,
            reference: Some(reference),
            message: message.map(|Text(message)| message),
            operator: pid,
        };
        let refuse = |refusal| match refusal {
            Rejection::IdempotencyConflict => REFERENCE_USED.into(),
            Rejection::OutOfRange => BAD_NUM.into(),
            Rejection::NonceSpent
            | Rejection::RequirementMissing
            | Rejection::Insufficient
            | Rejection::ReturnExceeds
            | Rejection::NothingSpent => CallError::Internal,
        };
        post(&self.0, uid, posting, refuse).await
    }
}
