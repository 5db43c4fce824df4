//! The audit of what no single account holds: contra accounts, origins, identities.

use std::collections::BTreeMap;

use entity::{contra, origin};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{AuditError, ROWS, broken, find_inconsistent};
use crate::ledger::book::changes::ContraGain;
use crate::ledger::book::entry::Contra;
use crate::ledger::read::entries::origin_record;

/// Compares each contra account with its entries, and all of them with what members hold.
pub async fn check_contras(
    db: &DatabaseTransaction,
    sums: &BTreeMap<(String, Contra), ContraGain>,
    members: i128,
) -> Result<(), AuditError> {
    let mut contras: BTreeMap<(String, String), ContraGain> = BTreeMap::new();
    for row in contra::Entity::find().all(db).await? {
        let gain = ContraGain {
            points: row.balance,
            entries: row.entries,
            checksum: row.checksum,
        };
        contras
            .entry((row.asset, row.name))
            .or_default()
            .merge(gain);
    }
    for ((asset, name), found) in &contras {
        let key = Contra::from_name(name).map(|name| (asset.clone(), name));
        let expected = key.and_then(|key| sums.get(&key).copied());
        let expected = expected.unwrap_or_default();
        for (what, found, expected) in [
            ("the balance is", found.points, expected.points),
            (
                "the number of its entries is",
                found.entries,
                expected.entries,
            ),
            (
                "the checksum of its entries is",
                found.checksum,
                expected.checksum,
            ),
        ] {
            if found != expected {
                let why = format!("{what} {found}, but its entries sum to {expected}");
                return Err(broken(format!("{asset} {name}"), why));
            }
        }
    }
    for ((asset, name), found) in &contras {
        if name == Contra::Transferred.name() && found.points != 0 {
            let why = format!("what came and went sums to {} instead of 0", found.points);
            return Err(broken(format!("{asset} {name}"), why));
        }
    }
    if contras.len() < sums.len() {
        return Err(broken(
            "contra",
            format!(
                "{} contra accounts have entries, but {} exist",
                sums.len(),
                contras.len()
            ),
        ));
    }
    let all = contras.values().map(|gain| i128::from(gain.points));
    match members + all.sum::<i128>() {
        0 => Ok(()),
        off => Err(broken(
            "all accounts",
            format!("members and contra accounts sum to {off} instead of 0"),
        )),
    }
}

/// No entry stands after the last one of its account.
pub async fn check_ends(db: &DatabaseTransaction) -> Result<(), AuditError> {
    find_inconsistent(
        db,
        "the account does not know it",
        "SELECT e.account_id, e.seq FROM entry e JOIN account a ON a.id = e.account_id WHERE e.seq > a.last_seq \
         ORDER BY e.account_id, e.seq LIMIT 1",
    )
    .await
}

/// Every lot has an account.
pub async fn check_lots(db: &DatabaseTransaction) -> Result<(), AuditError> {
    find_inconsistent(
        db,
        "has a lot, but no account",
        "SELECT l.account_id, l.account_id * 0 AS seq FROM lot l LEFT JOIN account a ON a.id = l.account_id \
         WHERE a.id IS NULL ORDER BY l.account_id LIMIT 1",
    )
    .await
}

/// Every origin has the address that its digest covers, or none.
pub async fn check_origins(db: &DatabaseTransaction) -> Result<(), AuditError> {
    let mut last_id = i64::MIN;
    loop {
        let rows = origin::Entity::find()
            .filter(origin::Column::Id.gt(last_id))
            .order_by_asc(origin::Column::Id)
            .limit(ROWS)
            .all(db)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        last_id = last.id;
        for row in rows {
            let (id, key) = (row.id, row.origin_key.clone());
            let whole = origin_record(row).filter(|record| record.has_its_address());
            let Some(record) = whole else {
                let why = "the address is not the one that its digest covers";
                return Err(broken(format!("origin {id}"), why));
            };
            let is_erased = record.address.is_none() && record.address_hash.is_some();
            if !is_erased && key != record.find_key().bytes() {
                return Err(broken(format!("origin {id}"), "its key is another one's"));
            }
        }
    }
}

/// Every idempotency record of the first format, whose hash does not cover the answer, has a balance that its entry came to.
pub async fn check_old_idempotency(db: &DatabaseTransaction) -> Result<(), AuditError> {
    // What expires in the same transaction stands after the entry, and the answer includes it.
    find_inconsistent(
        db,
        "a retry would be answered with a balance that it did not come to",
        "SELECT g.account_id, g.seq FROM entry g WHERE g.version = 1 AND g.idempotency_key IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM entry e WHERE e.account_id = g.account_id AND e.seq >= g.seq AND e.balance_after = g.idempotency_balance \
         AND (e.seq = g.seq OR e.contra = 'lapsed')) ORDER BY g.account_id, g.seq LIMIT 1",
    )
    .await
}

/// A name that leads elsewhere has no points under itself: they would be out of reach.
pub async fn check_identities(db: &DatabaseTransaction) -> Result<(), AuditError> {
    find_inconsistent(
        db,
        "its owner is another name of another owner",
        "SELECT a.id AS account_id, a.id * 0 AS seq FROM identity n JOIN account a ON a.owner = n.name \
         WHERE a.balance <> 0 AND n.owner <> a.owner AND (n.asset = a.asset OR n.asset = '' AND NOT EXISTS \
         (SELECT 1 FROM identity m WHERE m.name = a.owner AND m.asset = a.asset)) ORDER BY a.id LIMIT 1",
    )
    .await
}
