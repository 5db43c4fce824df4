//! `status.pay_notify`: receives an event of the payment provider Ping++. The provider looks at the HTTP status alone: it takes 2xx
//! as received, and sends the event again after anything else.

use serde::Serialize;

use super::payment_event::PaymentEvent;
use super::{FieldLabels, MemberStatus};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::method::Method;
use crate::params;
use crate::sign::RsaKey;

/// `status.pay_notify`.
pub struct PayNotify;

/// The method's name, which the dialect must know before it reads the body.
pub const NAME: &str = "status.pay_notify";
/// The caller of the method.
pub const SENDER: &str = "ping++";

const FORGED: Fault = Fault::http(403, 403, "签名验证不通过");
const NOT_AN_EVENT: Fault = Fault::http(400, 400, "参数格式不对");

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
        let verifies = |key: &RsaKey| key.verifies(&body.bytes, &body.signature);
        let key = status.payment_keys.find(context.now, verifies);
        key.ok_or(FORGED)?;
        let event = PaymentEvent::read(&body.bytes, context.now).ok_or(NOT_AN_EVENT)?;
        for &field in &event.unreadable {
            let id = &event.payment.event_id;
            log::warn!(
                "skipped the field {field} of the payment event {id:?}, which cannot be read"
            );
            status
                .unreadable
                .get_or_create(&FieldLabels { field })
                .inc();
        }
        status
            .record(&event, (&context.request_id, &context.origin))
            .await?;
        let payment = event.payment;
        Ok(Reply {
            id: payment.object,
            order_no: payment.order_no,
            paid: payment.charge_id.is_some(),
        })
    }
}
