//! `app.yohocoin.return`: returns coins that an order spent, at most as many.

use super::balance::{BalanceAfter, post};
use super::values::Reference;
use crate::config::Uniqueness;
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::{Text, Within};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{Idempotency, Posting, PostingKind, Reason, Rejection};
use crate::params;
use crate::points::FROZEN;
use crate::points::coins::Coins;
use crate::points::keys::KeySpace;
use crate::points::values::{Credit, Uid};

/// `app.yohocoin.return`.
pub struct Return;

const NO_UID: Fault = Fault::new(400, "请先登录");
const BAD_NUM: Fault = Fault::new(402, "获取的有货币不合法");
const BAD_TYPE: Fault = Fault::new(403, "type不合法");
const NO_ORDER: Fault = Fault::new(406, "orderCode不能为空");
const TOO_MUCH: Fault = Fault::new(408, "退还数量超出订单已使用数量");
const NOTHING_SPENT: Fault = Fault::new(409, "订单未使用有货币");
const ORDER_USED: Fault = Fault::new(410, "orderCode已被使用");

/// The most returns of one size for one order without a requestId, each later than `yoho.return_retry_seconds` after the one before.
const MAX_RETURNS: usize = 100;

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the user
        uid: Uid = required or NO_UID,
        /// coins to return
        num: Credit = required or BAD_NUM,
        /// 22 failed redemption
        kind: Within<22, 22> as "type" = required or BAD_TYPE,
        /// the order that spent them
        order: Reference as "orderCode" = required or NO_ORDER,
        /// number of the back-office user, for the history
        pid: Option<i64> = optional(None) wrong => default,
        /// text for the history, by default the type's
        message: Option<Text<255>> = optional(None) wrong => default,
        /// idempotency key, by default orderCode and num
        request: Option<Reference> as "requestId" = optional(None) wrong => default,
    }
}

impl Method for Return {
    const NAME: &'static str = "app.yohocoin.return";
    const SUMMARY: &'static str = "return coins that an order spent";
    const EXAMPLE: &'static str = "uid=50030199&num=150&type=22&orderCode=1234567890&pid=11111111";
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
            order: Reference(order),
            pid,
            message,
            request,
        } = params;
        let reason = Reason(kind);
        let (num, now) = (amount.to_string(), context.now);
        let nth = |n: usize| match &request {
            // With the caller's own id, two returns of the same amount differ, whatever the type's rule says.
            Some(Reference(id)) => Some(Idempotency {
                key: KeySpace::CoinRequest.key(&[&uid.0.to_string(), id]),
                fingerprint: Key::of(&[&order, &num]),
            }),
            None => {
                let n = n.to_string();
                let parts = ["order", &order, &num, &n];
                // The first return has the key that earlier versions stored.
                let parts = if n == "0" { &parts[..3] } else { &parts };
                coins.idempotency(reason, uid, parts, &[], now)
            }
        };
        let can_recur = request.is_none() && coins.uniqueness(reason) == Uniqueness::Forever;
        let mut n = 0;
        while can_recur && is_past(coins, nth(n), now).await? {
            n += 1;
            if n == MAX_RETURNS {
                return Err(ORDER_USED.into());
            }
        }
        let posting = Posting {
            account: Coins::account(uid),
            kind: PostingKind::Return {
                amount,
                order: Coins::order(uid, &order),
            },
            reason,
            idempotency: nth(n),
            requires: None,
            reference: Some(order),
            message: message.map(|Text(message)| message),
            operator: pid.filter(|pid| *pid != 0),
        };
        let receipt = post(coins, Self::NAME, posting.into(), &context, reject).await?;
        coins.repeats.count(Self::NAME, &receipt);
        Ok(BalanceAfter::of(uid, receipt))
    }
}

/// Whether a return was made so long ago that the same again is another one.
async fn is_past(coins: &Coins, first: Option<Idempotency>, now: i64) -> Result<bool, CallError> {
    let Some(first) = first else {
        return Ok(false);
    };
    let at = coins.ledger.posted_at(first.key).await?;
    Ok(at.is_some_and(|at| now.saturating_sub(at) >= coins.return_retry))
}

/// The fault for a rejection by the ledger.
fn reject(rejection: Rejection) -> CallError {
    match rejection {
        Rejection::ReturnExceeds => TOO_MUCH.into(),
        Rejection::NothingSpent => NOTHING_SPENT.into(),
        Rejection::IdempotencyConflict => ORDER_USED.into(),
        Rejection::Frozen => FROZEN.into(),
        Rejection::OutOfRange => BAD_NUM.into(),
        Rejection::NonceSpent
        | Rejection::PaymentChanged
        | Rejection::RequirementMissing
        | Rejection::Insufficient
        | Rejection::NotCorrectable
        | Rejection::CreditLimit => CallError::Internal,
    }
}
