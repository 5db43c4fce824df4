//! `status.pay_notify`: Ping++ tells of a payment. It looks at HTTP's status alone: 2xx = received, anything else = again.

use serde::Serialize;
use serde_json::Value;

use super::MemberStatus;
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{AccountKey, Idempotency, Posting, PostingKind, Rejection};
use crate::members::{Name, Payment};
use crate::params;
use crate::points::{PAYMENT, call_error};

/// `status.pay_notify`.
pub struct PayNotify;

/// Its name on the wire.
pub const NAME: &str = "status.pay_notify";

const FORGED: Fault = Fault::http(403, 403, "签名验证不通过");
const NO_EVENT: Fault = Fault::http(400, 400, "参数格式不对");
/// What a charge that was paid is told by.
const SUCCEEDED: &str = "charge.succeeded";

params! {
    /// What it takes: nothing but the body, which is the event.
    pub struct Params {}
}

/// What it answers, of the object that the event is about.
#[derive(Debug, Serialize)]
pub struct Reply {
    id: Option<String>,
    order_no: Option<String>,
    paid: bool,
}

impl Method for PayNotify {
    const NAME: &'static str = NAME;
    const SUMMARY: &'static str = "the payment provider tells of a payment; the body is its event";
    const EXAMPLE: &'static str = "";
    const MESSAGE: &'static str = "ok";
    type State = MemberStatus;
    type Details = Delivery;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        status: &MemberStatus,
        Params {}: Params,
        context: Context<Delivery>,
    ) -> Result<Reply, CallError> {
        let body = context.details.signed_body.ok_or(FORGED)?;
        let key = status.payments.key.as_ref().ok_or(FORGED)?;
        if !key.verifies(&body.bytes, &body.signature) {
            return Err(FORGED.into());
        }
        let event = serde_json::from_slice(&body.bytes).map_err(|_| NO_EVENT)?;
        let payment = read(&event, context.now).ok_or(NO_EVENT)?;
        let reply = Reply {
            id: payment.object.clone(),
            order_no: payment.order_no.clone(),
            paid: payment.charge_id.is_some(),
        };
        status.members.keep_payment(payment.clone()).await?;
        // Also where the event came before: perhaps we were cut off here.
        status.award(&payment, context.now).await?;
        Ok(reply)
    }
}

impl MemberStatus {
    /// Credits the payer, once for each charge and asset.
    async fn award(&self, payment: &Payment, now: i64) -> Result<(), CallError> {
        let (Some(charge), Some(user_key), Some(amount)) = (
            &payment.charge_id,
            &payment.user_key,
            payment.amount.filter(|it| *it > 0),
        ) else {
            return Ok(());
        };
        for asset in &self.payments.award {
            let posting = Posting {
                account: AccountKey {
                    owner: Name::Key(user_key.clone()).owner(),
                    asset: asset.clone(),
                },
                kind: PostingKind::Earn {
                    amount,
                    expires_at: self.coins.expiry_of(asset, now),
                },
                reason: PAYMENT,
                idempotency: Some(Idempotency {
                    key: Key::of(&["pay", charge, asset]),
                    fingerprint: Key::of(&[charge]),
                }),
                requires: None,
                reference: payment.order_no.clone(),
                message: None,
                operator: None,
            };
            match self.coins.ledger.post(posting).await {
                Ok(_) => {}
                Err(error) => {
                    let reject = |rejection: Rejection| {
                        log::error!("the ledger rejected an award: {rejection}");
                        CallError::Internal
                    };
                    return Err(call_error(error, reject));
                }
            }
        }
        Ok(())
    }
}

/// What an event tells; none where it is none, or is of a charge that succeeded and is not paid.
fn read(event: &Value, now: i64) -> Option<Payment> {
    let kind = short(&event["type"]).or_else(|| short(&event["payment"]["type"]))?;
    let object = &event["data"]["object"];
    let succeeded = kind == SUCCEEDED;
    if !object.is_object() || (succeeded && object["paid"] != true) {
        return None;
    }
    let id = short(&object["id"]);
    if succeeded && id.is_none() {
        return None;
    }
    Some(Payment {
        event_id: short(&event["id"])?,
        charge_id: id.clone().filter(|_| succeeded),
        kind: kind.chars().take(64).collect(),
        object: id,
        order_no: short(&object["order_no"]),
        amount: object["amount"].as_i64(),
        amount_settle: object["amount_settle"].as_i64(),
        currency: short(&object["currency"]).filter(|text| text.len() <= 16),
        channel: short(&object["channel"]).filter(|text| text.len() <= 64),
        transaction_no: short(&object["transaction_no"]),
        user_key: short(&object["metadata"]["user_key"]).filter(|key| key.len() <= 64),
        created: object["created"].as_i64(),
        time_paid: object["time_paid"].as_i64(),
        at: now,
    })
}

/// A text that can be kept.
fn short(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let good = !text.is_empty() && text.chars().nth(128).is_none() && !text.contains('\0');
    good.then(|| text.to_owned())
}
