//! `app.yohocoin.subtract`: a user spends coins on an order.

use super::balance::{BalanceAfter, post};
use super::values::{Debit, Reference};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::{Text, Within};
use crate::ledger::book::transaction::{Posting, PostingKind, Reason, Rejection};
use crate::params;
use crate::points::FROZEN;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// `app.yohocoin.subtract`.
pub struct Subtract;

const NO_UID: Fault = Fault::new(400, "请先登录");
const BAD_NUM: Fault = Fault::new(402, "获取的有货币不合法");
const BAD_TYPE: Fault = Fault::new(403, "type不合法");
const NO_ORDER: Fault = Fault::new(406, "orderCode不能为空");
const TOO_FEW: Fault = Fault::new(407, "有货币不足");
const ORDER_USED: Fault = Fault::new(410, "orderCode已被使用");

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the user
        uid: Uid = required or NO_UID,
        /// coins to spend, as a negative number
        num: Debit = required or BAD_NUM,
        /// 19 goods, 20 phone credit, 21 voucher
        kind: Within<19, 21> as "type" = required or BAD_TYPE,
        /// the order, which app.yohocoin.return names
        order: Reference as "orderCode" = required or NO_ORDER,
        /// number of the back-office user, for the history
        pid: Option<i64> = optional(None) wrong => default,
        /// text for the history, by default the type's
        message: Option<Text<255>> = optional(None) wrong => default,
    }
}

impl Method for Subtract {
    const NAME: &'static str = "app.yohocoin.subtract";
    const SUMMARY: &'static str = "spend coins on an order";
    const EXAMPLE: &'static str = "uid=50030199&num=-150&type=20&orderCode=1234567890&pid=11111111";
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
            num: Debit(amount),
            kind: Within(kind),
            order: Reference(order),
            pid,
            message,
        } = params;
        let posting = Posting {
            account: Coins::account(uid),
            kind: PostingKind::Spend {
                amount,
                order: Some(Coins::order(uid, &order)),
            },
            reason: Reason(kind),
            idempotency: coins.idempotency(
                Reason(kind),
                uid,
                &["order", &order],
                &[&amount.to_string()],
                context.now,
            ),
            requires: None,
            reference: Some(order),
            message: message.map(|Text(message)| message),
            operator: pid.filter(|pid| *pid != 0),
        };
        let reject = |rejection| match rejection {
            Rejection::Insufficient => TOO_FEW.into(),
            Rejection::IdempotencyConflict => ORDER_USED.into(),
            Rejection::Frozen => FROZEN.into(),
            Rejection::OutOfRange => BAD_NUM.into(),
            Rejection::NonceSpent
            | Rejection::CreditLimit
            | Rejection::PaymentChanged
            | Rejection::RequirementMissing
            | Rejection::ReturnExceeds
            | Rejection::NotCorrectable
            | Rejection::NothingSpent => CallError::Internal,
        };
        let receipt = post(coins, Self::NAME, posting.into(), &context, reject).await?;
        coins.repeats.count(Self::NAME, &receipt);
        Ok(BalanceAfter::of(uid, receipt))
    }
}
