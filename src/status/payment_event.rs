//! An event of the payment provider Ping++, as its body has it.

use serde_json::Value;

use crate::gateway::json;
use crate::gateway::value::is_storable;
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
    /// Reads a body that arrived at `now` (ms); `None` if it is not an event, or reports a successful charge without `paid` or an
    /// id.
    pub fn read(body: &[u8], now: i64) -> Option<PaymentEvent> {
        let event: Value = json::read(body)?;
        let kind = text(&event["type"]).or_else(|| text(&event["payment"]["type"]))?;
        let object = &event["data"]["object"];
        let succeeded = kind == SUCCEEDED;
        if !object.is_object() || (succeeded && object["paid"] != true) {
            return None;
        }
        let object_id = word(&object["id"]);
        let event_id = match word(&event["id"]) {
            None if succeeded => return None,
            // Some events have no id: the same bytes are then the same event.
            None => format!(
                "body_{}",
                hex::encode(Key::of(&[&String::from_utf8_lossy(body)]).bytes())
            ),
            Some(id) => id,
        };
        let effect = match kind.as_str() {
            SUCCEEDED => Effect::Award(object_id.clone()?),
            REFUNDED => word(&object["charge"])
                .or_else(|| word(&object["charge"]["id"]))
                .map_or(Effect::Nothing, Effect::TakeBack),
            _ => Effect::Nothing,
        };
        let order_no = word(&object["order_no"])
            .or_else(|| word(&object["merchant_order_no"]))
            .or_else(|| word(&object["charge"]["order_no"]));
        let (charge_id, subject) = match &effect {
            Effect::Award(charge) => (Some(charge.clone()), charge.clone()),
            Effect::TakeBack(charge) => (None, charge.clone()),
            Effect::Nothing => (None, event_id.clone()),
        };
        let payment = Payment {
            event_id,
            charge_id,
            kind: kind.chars().take(64).collect(),
            object: object_id,
            order_no,
            amount: number(&object["amount"]),
            amount_settle: number(&object["amount_settle"]),
            currency: text(&object["currency"]).filter(|text| text.len() <= 16),
            channel: text(&object["channel"]).filter(|text| text.len() <= 64),
            transaction_no: word(&object["transaction_no"]),
            user_key: word(&object["metadata"]["user_key"])
                .filter(|key| key.chars().nth(64).is_none()),
            created: number(&object["created"]),
            time_paid: number(&object["time_paid"]),
            at: now,
            subject,
            subject_seq: 0,
        };
        Some(PaymentEvent {
            payment,
            effect,
            live: event["livemode"] == true && object["livemode"] != false,
            app: text(&object["app"]),
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

/// The text of a value; `None` unless it has 1 to 128 characters that may be stored.
fn text(value: &Value) -> Option<String> {
    let value = value.as_str()?;
    let storable = !value.is_empty() && value.chars().nth(128).is_none() && is_storable(value);
    storable.then(|| value.to_owned())
}

/// The text of a value that may be a number.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        value => text(value),
    }
}

/// The integer of a value that may be a text.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_i64(),
    }
}
