//! What postings brought, found by their idempotency keys.

use std::collections::HashMap;

use entity::{account, contra, entry};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};

use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::AccountKey;

/// The account that each of the postings changed, and the points that it gained. A key that no posting has used is left out.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn of(db: &DatabaseConnection, keys: &[Key]) -> Result<Vec<(AccountKey, i64)>, DbErr> {
    let keys = keys.iter().map(|key| key.bytes().to_vec());
    let entries: Vec<(i64, i64)> = entry::Entity::find()
        .select_only()
        .columns([entry::Column::AccountId, entry::Column::Amount])
        .filter(entry::Column::IdempotencyKey.is_in(keys))
        .into_tuple()
        .all(db)
        .await?;
    let ids = entries.iter().map(|(account_id, _)| *account_id);
    let accounts = account::Entity::find()
        .filter(account::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let accounts: HashMap<i64, AccountKey> = accounts
        .into_iter()
        .map(|account| {
            let (owner, asset) = (account.owner, account.asset);
            (account.id, AccountKey { owner, asset })
        })
        .collect();
    let gains = entries.into_iter();
    Ok(gains
        .filter_map(|(id, amount)| Some((accounts.get(&id)?.clone(), amount)))
        .collect())
}

/// The time (ms) of the posting with an idempotency key; `None` if no posting has used it.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn posted_at(db: &DatabaseConnection, key: Key) -> Result<Option<i64>, DbErr> {
    entry::Entity::find()
        .select_only()
        .column(entry::Column::At)
        .filter(entry::Column::IdempotencyKey.eq(key.bytes().to_vec()))
        .into_tuple()
        .one(db)
        .await
}

/// The assets that points have been moved of.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn assets(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    contra::Entity::find()
        .select_only()
        .column(contra::Column::Asset)
        .distinct()
        .into_tuple()
        .all(db)
        .await
}
