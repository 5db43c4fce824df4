//! `user.points-add`: a partner gives a user points.

use super::SUCCESS;
use super::caller::Caller;
use crate::gateway::context::Context;
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::{Text, Within};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{Idempotency, Posting, PostingKind, Reason, Rejection};
use crate::params;
use crate::points::REWARD;
use crate::points::coins::Coins;
use crate::points::keys::KeySpace;
use crate::points::values::{Credit, Uid};

/// `user.points-add`.
pub struct PointsAdd;

const BIZ_ID_USED: Fault = Fault::new(200002, "bizId已被使用");
const OVER_LIMIT: Fault = Fault::new(200003, "超出限额");
const FROZEN: Fault = Fault::new(200004, "账户已冻结");

/// The platform's 12 `sourceType`s, from 1: the reason of the points, which is the nearest of the coins' types, and the platform's
/// title.
const SOURCES: [(i64, &str); 12] = [
    (13, "消费增加"),
    (3, "关注有礼"),
    (3, "会员特权"),
    (3, "商家手动补发"),
    (5, "积分签到"),
    (3, "满赠活动"),
    (6, "抽奖得积分"),
    (4, "储值赠送"),
    (4, "资产迁入"),
    (3, "登录获积分"),
    (18, "评价得积分"),
    (8, "完善会员资料得积分"),
];

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// points to give
        balance: Credit = required,
        /// idempotency key of the partner's
        biz_id: Text<128> as "bizId" = required,
        /// the user
        customer: Uid as "customerId" = required,
        /// text for the history, by default the title of the source
        reason: Option<Text<255>> = optional(None),
        /// source, from 1 purchase to 12 completed profile
        source: Option<Within<1, 12>> as "sourceType" = optional(None),
        /// channel, from 1 Alipay to 9 Koubei; validated, not stored
        _channel: Option<Within<1, 9>> as "pointsChannel" = optional(None),
    }
}

impl Method for PointsAdd {
    const NAME: &'static str = "user.points-add";
    const SUMMARY: &'static str = "give a user points";
    const EXAMPLE: &'static str =
        "balance=11&bizId=appPay10190709&customerId=50030199&sourceType=1&pointsChannel=7";
    const MESSAGE: &'static str = SUCCESS;
    type State = Coins;
    type Details = Caller;
    type Params = Params;
    /// An empty list, as the document shows.
    type Reply = [(); 0];

    async fn call(
        coins: &Coins,
        params: Params,
        context: Context<Caller>,
    ) -> Result<[(); 0], CallError> {
        let Params {
            balance: Within(amount),
            biz_id: Text(biz_id),
            customer,
            reason,
            source,
            _channel,
        } = params;
        let source =
            source.and_then(|Within(number)| SOURCES.get(usize::try_from(number - 1).unwrap_or(0)));
        let title = source.map(|(_, title)| (*title).to_owned());
        let idempotency = Idempotency {
            key: KeySpace::PartnerGift.key(&[&context.details.partner.open_id, &biz_id]),
            fingerprint: Key::of(&[&customer.0.to_string(), &amount.to_string()]),
        };
        let posting = Posting {
            account: Coins::account(customer),
            kind: PostingKind::Earn {
                amount,
                expires_at: coins.expires_at(context.now),
            },
            reason: source.map_or(REWARD, |(reason, _)| Reason(*reason)),
            idempotency: Some(idempotency),
            requires: None,
            reference: Some(biz_id),
            message: reason.map(|Text(reason)| reason).or(title),
            operator: None,
        };
        let reject = |rejection| match rejection {
            Rejection::IdempotencyConflict => BIZ_ID_USED.into(),
            Rejection::CreditLimit => OVER_LIMIT.into(),
            Rejection::Frozen => FROZEN.into(),
            Rejection::NonceSpent
            | Rejection::PaymentChanged
            | Rejection::RequirementMissing
            | Rejection::Insufficient
            | Rejection::ReturnExceeds
            | Rejection::NotCorrectable
            | Rejection::NothingSpent
            | Rejection::OutOfRange => CallError::Internal,
        };
        let posting = Some((posting, coins.credit_limit(&context)));
        let receipt = context
            .details
            .spend(
                &coins.ledger,
                (&context.request_id, &context.origin),
                posting,
                reject,
            )
            .await?;
        if let Some(receipt) = receipt {
            coins.repeats.count(Self::NAME, &receipt);
        }
        Ok([])
    }
}
