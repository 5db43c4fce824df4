//! The audit of what no entry tells of: each table has the rows that its tally counts.

use std::collections::BTreeMap;
use std::pin::pin;

use entity::{action, daily_limit_slot, nonce, payment, tally};
use futures_util::TryStreamExt;
use sea_orm::{DatabaseTransaction, EntityTrait};

use super::{AuditError, broken};
use crate::ledger::book::tally::{Tallied, Tally};

/// Compares each tally with the rows of its table.
pub async fn check(db: &DatabaseTransaction) -> Result<(), AuditError> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for row in tally::Entity::find().all(db).await? {
        let tally = tallies.entry(row.name).or_default();
        tally.rows += row.row_count;
        tally.checksum += row.checksum;
    }
    compare::<action::Entity>(db, &mut tallies).await?;
    compare::<daily_limit_slot::Entity>(db, &mut tallies).await?;
    compare::<nonce::Entity>(db, &mut tallies).await?;
    compare::<payment::Entity>(db, &mut tallies).await?;
    match tallies.pop_first() {
        None => Ok(()),
        Some((name, _)) => Err(broken("tally", format!("no table is called {name:?}"))),
    }
}

async fn compare<E>(
    db: &DatabaseTransaction,
    tallies: &mut BTreeMap<String, Tally>,
) -> Result<(), AuditError>
where
    E: EntityTrait,
    E::Model: Tallied,
{
    let mut found = Tally::default();
    let mut rows = pin!(E::find().stream(db).await?);
    while let Some(row) = rows.try_next().await? {
        found.add(&row);
    }
    let name = E::Model::TABLE;
    let expected = tallies.remove(name).unwrap_or_default();
    if found.rows != expected.rows {
        let why = format!("has {} rows, but should have {}", found.rows, expected.rows);
        return Err(broken(name, why));
    }
    match found.checksum == expected.checksum {
        true => Ok(()),
        false => Err(broken(name, "a row has changed, or others took its place")),
    }
}
