//! `app.yohocoin.get`, also `app.yohocoin.add`: a user earns coins for a check-in at a place or for a good review.

use super::balance::{BalanceAfter, post};
use super::values::Reference;
use crate::config::Uniqueness;
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::{Text, Within};
use crate::ledger::book::transaction::{Posting, PostingKind, Reason, Rejection, Transaction};
use crate::params;
use crate::points::coins::Coins;
use crate::points::values::{Credit, Uid};
use crate::points::{FROZEN, OVER_LIMIT};

/// `app.yohocoin.get`.
pub struct Get;

const NO_UID: Fault = Fault::new(400, "请先登录");
const BAD_NUM: Fault = Fault::new(402, "获取的有货币不合法");
const BAD_TYPE: Fault = Fault::new(403, "type不合法");
const NO_REFERENCE: Fault = Fault::new(405, "referenceId不能为空");
const REFERENCE_USED: Fault = Fault::new(410, "referenceId已被使用");

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the user
        uid: Uid = required or NO_UID,
        /// coins to credit
        num: Credit = required or BAD_NUM,
        /// 17 check-in at a place, 18 good review
        kind: Within<17, 18> as "type" = required or BAD_TYPE,
        /// the place or review, which earns once by the rule of the type; also named marsId
        reference: Reference as "referenceId" | "marsId" = required or NO_REFERENCE,
        /// number of the back-office user, for the history
        pid: Option<i64> = optional(None) wrong => default,
        /// text for the history, by default the type's
        message: Option<Text<255>> = optional(None) wrong => default,
        /// id of the request, by which a reference that counts once a day is known again on the next day
        request: Option<Reference> as "requestId" = optional(None) wrong => default,
    }
}

impl Method for Get {
    const NAME: &'static str = "app.yohocoin.get";
    const ALIASES: &'static [&'static str] = &["app.yohocoin.add"];
    const SUMMARY: &'static str = "credit coins for a check-in or a good review";
    const EXAMPLE: &'static str = "uid=50030199&num=100&type=18&referenceId=123456789&pid=11111111";
    const MESSAGE: &'static str = "ok";
    type State = Coins;
    type Details = Delivery;
    type Params = Params;
    type Reply = BalanceAfter;

    async fn call(
        coins: &Coins,
        params: Params,
        context: Context<Delivery>,
    ) -> Result<BalanceAfter, CallError> {
        let Params {
            uid,
            num: Within(amount),
            kind: Within(kind),
            reference: Reference(reference),
            pid,
            message,
            request,
        } = params;
        let reason = Reason(kind);
        let num = amount.to_string();
        let key = ["reference", reference.as_str()];
        // Another id is another request, which a reference that has been used refuses.
        let (content, earlier_keys) = match &request {
            Some(Reference(id)) if coins.uniqueness(reason) == Uniqueness::Daily => (
                vec![num.as_str(), id.as_str()],
                coins.neighbouring_keys(reason, uid, &key, context.now),
            ),
            _ => (vec![num.as_str()], Vec::new()),
        };
        let idempotency = coins.idempotency(reason, uid, &key, &content, context.now);
        let posting = Posting {
            account: Coins::account(uid),
            kind: PostingKind::Earn {
                amount,
                expires_at: coins.expires_at(context.now),
            },
            reason,
            idempotency,
            requires: None,
            reference: Some(reference),
            message: message.map(|Text(message)| message),
            operator: pid.filter(|pid| *pid != 0),
        };
        let reject = |rejection| match rejection {
            Rejection::IdempotencyConflict => REFERENCE_USED.into(),
            Rejection::Frozen => FROZEN.into(),
            Rejection::OutOfRange => BAD_NUM.into(),
            Rejection::CreditLimit => OVER_LIMIT.into(),
            Rejection::NonceSpent
            | Rejection::PaymentChanged
            | Rejection::RequirementMissing
            | Rejection::Insufficient
            | Rejection::ReturnExceeds
            | Rejection::NotCorrectable
            | Rejection::NothingSpent => CallError::Internal,
        };
        let transaction = Transaction {
            earlier_keys,
            ..Transaction::of(posting)
        };
        let receipt = post(coins, Self::NAME, transaction, &context, reject).await?;
        coins.repeats.count(Self::NAME, &receipt);
        Ok(BalanceAfter::of(uid, receipt))
    }
}
