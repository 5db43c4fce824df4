//! An event of the payment provider Ping++, as its body has it.

use super::event_fields::{EventFields, Unreadable};
use crate::ledger::book::key::Key;
use crate::members::Payment;

/// The type of the event of a paid charge.
const SUCCEEDED: &str = "charge.succeeded";
/// The type of the event of a refund.
const REFUNDED: &str = "refund.succeeded";

/// A report of the provider: a charge, a refund, or something else that is only stored.
#[derive(Clone, Debug)]
pub struct PaymentEvent {
    /// The event as it is stored, but for its number among the events of its subject.
    pub payment: Payment,
    /// What it does to the payer's points.
    pub effect: Effect,
    /// Whether money moved; `false` for a test.
    pub live: bool,
    /// The id of the app that took the payment.
    pub app: Option<String>,
    /// The fields that are present and could not be read, so that they count as absent.
    pub unreadable: Vec<&'static str>,
}

/// What an event does to the payer's points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Awards a charge that succeeded.
    Award(String),
    /// Takes back what a charge brought.
    TakeBack(String),
    /// Moves no points.
    Nothing,
}

impl PaymentEvent {
    /// Reads a body that arrived at `now` (ms); `None` if it is not an event, or reports a successful charge without `paid`.
    pub fn read(body: &[u8], now: i64) -> Option<PaymentEvent> {
        let event = EventFields::read(body)?;
        let data = event.object("data")?.object("object")?;
        let unreadable = Unreadable::default();
        let text = |fields: &EventFields, name| fields.text(name, 128, &unreadable);
        let kind = text(&event, "type").or_else(|| text(&event.object("payment")?, "type"))?;
        let kind: String = kind.chars().take(64).collect();
        if kind == SUCCEEDED && data.flag("paid", &unreadable) != Some(true) {
            return None;
        }
        let object = text(&data, "id");
        let event_id = text(&event, "id");
        let event_id = event_id.unwrap_or_else(|| id_without_own(&kind, object.as_deref(), body));
        let charge = || data.object("charge");
        let effect = match (kind.as_str(), &object) {
            (SUCCEEDED, Some(object)) => Effect::Award(object.clone()),
            (SUCCEEDED, None) => {
                unreadable.note("id");
                Effect::Nothing
            }
            (REFUNDED, _) => charge()
                .and_then(|charge| text(&charge, "id"))
                .or_else(|| text(&data, "charge"))
                .map_or(Effect::Nothing, Effect::TakeBack),
            _ => Effect::Nothing,
        };
        let (charge_id, subject) = match &effect {
            Effect::Award(charge) => (Some(charge.clone()), charge.clone()),
            Effect::TakeBack(charge) => (None, charge.clone()),
            Effect::Nothing => (None, event_id.clone()),
        };
        let metadata = data.object("metadata");
        let user_key = metadata.and_then(|it| it.text("user_key", 64, &unreadable));
        let number = |name| data.number(name, &unreadable);
        let payment = Payment {
            event_id,
            charge_id,
            object,
            order_no: text(&data, "order_no")
                .or_else(|| text(&data, "merchant_order_no"))
                .or_else(|| text(&charge()?, "order_no")),
            amount: number("amount"),
            amount_settle: number("amount_settle"),
            currency: data.text("currency", 16, &unreadable),
            channel: data.text("channel", 64, &unreadable),
            transaction_no: text(&data, "transaction_no"),
            user_key,
            created: number("created"),
            time_paid: number("time_paid"),
            at: now,
            subject,
            subject_seq: 0,
            kind,
        };
        let is_live = |fields: &EventFields| fields.flag("livemode", &unreadable);
        Some(PaymentEvent {
            payment,
            effect,
            live: is_live(&event) == Some(true) && is_live(&data) != Some(false),
            app: text(&data, "app"),
            unreadable: unreadable.into_names(),
        })
    }

    /// Whether a stored event is this one, another one of the same successful charge, or another one of the same refund.
    pub fn is_stored_as(&self, stored: &Payment) -> bool {
        let payment = &self.payment;
        let is_refund = matches!(self.effect, Effect::TakeBack(_));
        stored.event_id == payment.event_id
            || (payment.charge_id.is_some() && stored.charge_id == payment.charge_id)
            || (is_refund
                && is_refund_of(stored, &payment.subject)
                && payment.object.is_some()
                && stored.object == payment.object)
    }
}

/// Whether a stored event is the refund of a charge.
pub fn is_refund_of(stored: &Payment, charge: &str) -> bool {
    stored.kind == REFUNDED && stored.subject == charge
}

/// The id of an event that brings none, such as `agreement.succeeded` in the provider's own test data: the event of its type about its
/// object. Without an object's id, the same bytes are the same event.
fn id_without_own(kind: &str, object: Option<&str>, body: &[u8]) -> String {
    let of_object = object.map(|object| format!("{kind}:{object}"));
    let of_object = of_object.filter(|id| id.chars().nth(128).is_none());
    of_object.unwrap_or_else(|| {
        let body = Key::of(&[&String::from_utf8_lossy(body)]);
        format!("body_{}", hex::encode(body.bytes()))
    })
}
