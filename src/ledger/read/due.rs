//! What an expiry would take, without taking it.

use std::collections::{BTreeMap, HashMap};

use entity::{account, lot};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

/// The accounts that one query reads.
const PAGE: u64 = 256;

/// Points of one asset that are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DuePoints {
    /// The accounts that hold them.
    pub accounts: u64,
    /// How many points there are.
    pub points: i64,
}

/// The first accounts after this id with points that are due at `due_by` (ms), in the order of their ids.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn accounts_after(
    db: &DatabaseConnection,
    due_by: i64,
    last_id: i64,
    limit: u64,
) -> Result<Vec<account::Model>, DbErr> {
    account::Entity::find()
        .filter(account::Column::NextExpiry.lte(due_by))
        .filter(account::Column::Id.gt(last_id))
        .order_by_asc(account::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// The points that are due at `due_by` (ms), by asset.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn by_asset(
    db: &DatabaseConnection,
    due_by: i64,
) -> Result<BTreeMap<String, DuePoints>, DbErr> {
    let mut due: BTreeMap<String, DuePoints> = BTreeMap::new();
    let mut last_id = 0;
    loop {
        let accounts = accounts_after(db, due_by, last_id, PAGE).await?;
        let Some(last) = accounts.last() else {
            return Ok(due);
        };
        last_id = last.id;
        let lots = lot::Entity::find()
            .filter(lot::Column::AccountId.is_in(accounts.iter().map(|account| account.id)))
            .filter(lot::Column::ExpiresAt.lte(due_by));
        let mut points: HashMap<i64, i64> = HashMap::new();
        for lot in lots.all(db).await? {
            *points.entry(lot.account_id).or_default() += lot.remaining;
        }
        for account in accounts {
            let of_asset = due.entry(account.asset).or_default();
            of_asset.accounts += 1;
            of_asset.points += points.get(&account.id).copied().unwrap_or(0);
        }
    }
}
