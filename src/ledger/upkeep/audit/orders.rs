//! The audit of orders whose entries stand in several accounts, or partly in the first format.

use std::collections::HashSet;

use entity::{account, entry};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::{AuditError, broken};
use crate::ledger::book::key::Key;
use crate::ledger::book::order::replay_text;

/// Puts the entries of each order together: none gives back what was not spent.
pub async fn check(db: &DatabaseTransaction, orders: &HashSet<Key>) -> Result<(), AuditError> {
    for order in orders {
        let entries =
            entry::Entity::find().filter(entry::Column::OrderKey.eq(order.bytes().to_vec()));
        let mut entries = entries.all(db).await?;
        // As a writer loads them.
        entries.sort_unstable_by_key(|entry| (entry.at, entry.seq));
        let mut allocations = Vec::new();
        for entry in &entries {
            let lots = entry.lots.as_deref().unwrap_or_default();
            if replay_text(&mut allocations, entry.seq, lots).is_none() {
                let account = account::Entity::find_by_id(entry.account_id)
                    .one(db)
                    .await?;
                let name = account.map_or_else(
                    || format!("account {}", entry.account_id),
                    |account| format!("{} of {}", account.asset, account.owner),
                );
                let why = "it gives back what its order did not spend";
                return Err(broken(name, format!("entry {}: {why}", entry.seq)));
            }
        }
    }
    Ok(())
}
