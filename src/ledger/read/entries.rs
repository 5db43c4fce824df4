//! Entries as the database stores them.

use entity::entry::Model;

use crate::ledger::book::entry::{Contra, Entry};
use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::transaction::{AccountKey, Reason};

/// Reads an account's entry from its row. Returns `None` if the row has no known contra account or no whole hash, which the
/// ledger never writes.
pub fn from_row(account: &AccountKey, row: &Model) -> Option<Entry> {
    Some(Entry {
        account: account.clone(),
        seq: row.seq,
        at: row.at,
        reason: Reason(row.reason),
        amount: row.amount,
        balance_after: row.balance_after,
        contra: Contra::from_name(&row.contra)?,
        direction_seq: row.direction_seq,
        reference: row.reference.clone(),
        message: row.message.clone(),
        operator: row.operator,
        idempotency: IdempotencyRecord::from_columns(
            row.idempotency_key.as_deref(),
            row.fingerprint.as_deref(),
            row.idempotency_balance,
            row.amount,
        ),
        hash: row.hash.as_slice().try_into().ok()?,
    })
}
