//! `status.pay_notify`: receives an event of the payment provider Ping++. The provider looks at the HTTP status alone: it takes 2xx
//! as received, and sends the event again after anything else.

use serde::Serialize;
use serde_json::Value;

use super::MemberStatus;
use crate::gateway::context::{Context, Delivery, RequestId};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::gateway::value::is_storable;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{
    AccountKey, Idempotency, Posting, PostingKind, Rejection, Transaction,
};
use crate::members::{MemberName, Payment};
use crate::params;
use crate::points::keys::KeySpace;
use crate::points::{PAYMENT, call_error};

/// `status.pay_notify`.
pub struct PayNotify;

/// The method's name, which the dialect must know before it reads the body.
pub const NAME: &str = "status.pay_notify";
/// The caller of the method.
pub const SENDER: &str = "ping++";

const FORGED: Fault = Fault::http(403, 403, "签名验证不通过");
const NOT_AN_EVENT: Fault = Fault::http(400, 400, "参数格式不对");
/// The type of the event of a paid charge.
const SUCCEEDED: &str = "charge.succeeded";

params! {
    /// No parameters: the body is the event.
    pub struct Params {}
}

/// The reply: the event's object, and whether the event reports a successful charge.
#[derive(Debug, Serialize)]
pub struct Reply {
    id: Option<String>,
    order_no: Option<String>,
    paid: bool,
}

impl Method for PayNotify {
    const NAME: &'static str = NAME;
    const SUMMARY: &'static str = "receive an event of the payment provider, as the body";
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
        let event = serde_json::from_slice(&body.bytes).map_err(|_| NOT_AN_EVENT)?;
        let payment = read(&event, context.now).ok_or(NOT_AN_EVENT)?;
        let reply = Reply {
            id: payment.object.clone(),
            order_no: payment.order_no.clone(),
            paid: payment.charge_id.is_some(),
        };
        status.members.record_payment(payment.clone()).await?;
        // A repeated event is awarded too, because a crash may have separated the two steps; the idempotency key prevents a second
        // award.
        status
            .award(&payment, context.now, &context.request_id)
            .await?;
        Ok(reply)
    }
}

impl MemberStatus {
    /// Credits the amount of a successful charge to its user_key, once per charge and asset. Other events credit nothing.
    async fn award(
        &self,
        payment: &Payment,
        now: i64,
        request_id: &RequestId,
    ) -> Result<(), CallError> {
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
                    owner: MemberName::UserKey(user_key.clone()).owner(),
                    asset: asset.clone(),
                },
                kind: PostingKind::Earn {
                    amount,
                    expires_at: self.coins.expiry_of(asset, now),
                },
                reason: PAYMENT,
                idempotency: Some(Idempotency {
                    key: KeySpace::Payment.key(&[charge, asset]),
                    fingerprint: Key::of(&[charge]),
                }),
                requires: None,
                reference: payment.order_no.clone(),
                message: None,
                operator: None,
            };
            let transaction = Transaction::of(posting).requested_by(request_id.shared());
            match self.coins.ledger.post(transaction).await {
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

/// Reads an event; `None` if the JSON is not an event, or reports a successful charge without `paid` or an id.
fn read(event: &Value, now: i64) -> Option<Payment> {
    let kind = text(&event["type"]).or_else(|| text(&event["payment"]["type"]))?;
    let object = &event["data"]["object"];
    let succeeded = kind == SUCCEEDED;
    if !object.is_object() || (succeeded && object["paid"] != true) {
        return None;
    }
    let id = text(&object["id"]);
    if succeeded && id.is_none() {
        return None;
    }
    Some(Payment {
        event_id: text(&event["id"])?,
        charge_id: id.clone().filter(|_| succeeded),
        kind: kind.chars().take(64).collect(),
        object: id,
        order_no: text(&object["order_no"]),
        amount: object["amount"].as_i64(),
        amount_settle: object["amount_settle"].as_i64(),
        currency: text(&object["currency"]).filter(|text| text.len() <= 16),
        channel: text(&object["channel"]).filter(|text| text.len() <= 64),
        transaction_no: text(&object["transaction_no"]),
        user_key: text(&object["metadata"]["user_key"]).filter(|key| key.len() <= 64),
        created: object["created"].as_i64(),
        time_paid: object["time_paid"].as_i64(),
        at: now,
    })
}

/// The text of a value; `None` unless it has 1 to 128 characters that may be stored.
fn text(value: &Value) -> Option<String> {
    let value = value.as_str()?;
    let storable = !value.is_empty() && value.chars().nth(128).is_none() && is_storable(value);
    storable.then(|| value.to_owned())
}
