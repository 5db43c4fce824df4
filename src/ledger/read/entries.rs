//! Entries as the database stores them.

use std::collections::{HashMap, HashSet};

use entity::entry::Model;
use entity::{opening, origin};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::ledger::book::entry::{Contra, Entry, Format, Hash};
use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::key::Key;
use crate::ledger::book::lots;
use crate::ledger::book::openings::Opening;
use crate::ledger::book::origins::{OriginRecord, StoredOrigin};
use crate::ledger::book::transaction::{AccountKey, Reason};

/// Reads an account's entry from its row; `origins` are the digests of origins by their numbers.
///
/// # Errors
/// Returns what is wrong with a row that the ledger cannot have written.
pub fn from_row(
    account: &AccountKey,
    row: &Model,
    origins: &HashMap<i64, Hash>,
) -> Result<Entry, &'static str> {
    let format = Format::of_version(row.version).ok_or("has no known format")?;
    let second = format == Format::Second;
    let origin = match (second, row.origin_id) {
        (false, None) => None,
        (true, Some(id)) => {
            let digest = *origins.get(&id).ok_or("has no known origin")?;
            Some(StoredOrigin { id, digest })
        }
        _ => return Err("has not the columns of its format"),
    };
    if second != row.recorded_at.is_some() || (!second && row.request_id.is_some()) {
        return Err("has not the columns of its format");
    }
    let order = row.order_key.as_deref();
    let order = order.map(|key| Key::from_bytes(key).ok_or("has no whole order key"));
    let lots = match (second, &row.lots) {
        (true, Some(text)) => lots::read_changes(text).ok_or("does not state its lots")?,
        (true, None) => return Err("does not state its lots"),
        // What stands there is not covered by the hash, but by that of the openings.
        (false, _) => Vec::new(),
    };
    let idempotency = IdempotencyRecord::from_columns(
        row.idempotency_key.as_deref(),
        row.fingerprint.as_deref(),
        row.idempotency_balance,
        row.amount,
    );
    let parts = [
        row.idempotency_key.is_some(),
        row.fingerprint.is_some(),
        row.idempotency_balance.is_some(),
    ];
    if parts != [idempotency.is_some(); 3] {
        return Err("has no whole idempotency record");
    }
    Ok(Entry {
        format,
        account: account.clone(),
        seq: row.seq,
        at: row.at,
        recorded_at: row.recorded_at,
        origin,
        request_id: row.request_id.as_deref().map(Into::into),
        reason: Reason(row.reason),
        amount: row.amount,
        lots,
        order: order.transpose()?.filter(|_| second),
        balance_after: row.balance_after,
        contra: Contra::from_name(&row.contra).ok_or("has no known contra account")?,
        direction_seq: row.direction_seq,
        reference: row.reference.clone(),
        message: row.message.clone(),
        operator: row.operator,
        idempotency,
        hash: row
            .hash
            .as_slice()
            .try_into()
            .map_err(|_| "has no whole hash")?,
    })
}

/// Reads what an account held after its entries of the first format.
///
/// # Errors
/// Returns what is wrong with a row that the ledger cannot have written.
pub fn opening(row: &opening::Model) -> Result<Opening, &'static str> {
    let lots = lots::read_lots(&row.lots).ok_or("its opening cannot be read")?;
    Ok(Opening { seq: row.seq, lots })
}

/// Reads an origin from its row. Returns `None` if a salt or a hash has not its length.
pub fn origin_record(row: origin::Model) -> Option<OriginRecord> {
    let salt = row.address_salt.map(|it| it.try_into()).transpose();
    let hash = row.address_hash.map(|it| it.try_into()).transpose();
    Some(OriginRecord {
        dialect: row.dialect,
        caller: row.caller,
        key: row.caller_key,
        address: row.address,
        address_salt: salt.ok()?,
        address_hash: hash.ok()?,
    })
}

/// The origins with these numbers that exist and can be read.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn origins(
    db: &impl ConnectionTrait,
    ids: &HashSet<i64>,
) -> Result<HashMap<i64, OriginRecord>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = origin::Entity::find().filter(origin::Column::Id.is_in(ids.iter().copied()));
    let found = found.all(db).await?.into_iter();
    Ok(found
        .filter_map(|row| Some((row.id, origin_record(row)?)))
        .collect())
}
