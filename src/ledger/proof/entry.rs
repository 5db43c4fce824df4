//! An entry as canonical JSON: what a statement with its proof says of it, and what commands print.

use serde_json::{Value, json};

use crate::ledger::book::entry::{Entry, Format};
use crate::ledger::book::key::Key;
use crate::ledger::book::lots::write_changes;
use crate::ledger::book::origins::OriginRecord;

/// What the hash of an entry covers, and the hash, as a JSON object. The address of its origin is not there, only that address's hash.
pub fn entry_json(entry: &Entry, origin: Option<&OriginRecord>) -> Value {
    let key = |key: Option<Key>| key.map(|key| hex::encode(key.bytes()));
    let idempotency = entry.idempotency;
    let mut whole = json!({
        "amount": entry.amount,
        "asset": entry.account.asset,
        "at": entry.at,
        "balance_after": entry.balance_after,
        "contra": entry.contra.name(),
        "direction_seq": entry.direction_seq,
        "hash": hex::encode(entry.hash),
        "idempotency_key": key(idempotency.map(|record| record.key)),
        "message": entry.message,
        "operator": entry.operator,
        "owner": entry.account.owner,
        "reason": entry.reason.0,
        "reference": entry.reference,
        "seq": entry.seq,
        "version": entry.format.version(),
    });
    if entry.format == Format::Second {
        let origin = origin.map(|origin| {
            json!({
                "address_hash": origin.address_hash.map(hex::encode),
                "caller": origin.caller,
                "dialect": origin.dialect,
                "key": origin.key,
            })
        });
        for (name, value) in [
            (
                "fingerprint",
                json!(key(idempotency.map(|record| record.fingerprint))),
            ),
            (
                "idempotency_balance",
                json!(idempotency.map(|record| record.balance)),
            ),
            ("lots", json!(write_changes(&entry.lots))),
            ("order_key", json!(key(entry.order))),
            ("origin", json!(origin)),
            ("recorded_at", json!(entry.recorded_at)),
            ("request_id", json!(entry.request_id.as_deref())),
        ] {
            whole[name] = value;
        }
    }
    whole
}
