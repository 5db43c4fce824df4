//! Makes what follows from entries anew: accounts, lots and contra accounts. It repairs what the audit finds there after a database was
//! damaged or changed by hand; entries are the truth, and broken ones it leaves to a backup.

use std::collections::BTreeMap;

use entity::{contra, lot};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set,
};

use super::AuditError;
use super::accounts::Accounts;
use crate::ledger::Ledger;
use crate::ledger::book::changes::ContraGain;
use crate::ledger::book::entry::Contra;
use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::upkeep::journal;

/// What was, or would be, made anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// The accounts whose rows or lots differed, as `coin of uid:5`.
    pub accounts: Vec<String>,
    /// The contra accounts that differed, as `coin issued`.
    pub contras: Vec<String>,
}

/// The lots of one statement.
const ROWS: usize = 200;

impl Ledger {
    /// Compares accounts, lots and contra accounts with the entries, and with an operator makes those that differ anew, in one transaction, with
    /// a record of the journal. No other instance may write meanwhile.
    ///
    /// # Errors
    /// Returns [`AuditError`] if the entries themselves are inconsistent, or if the database fails; nothing has changed then.
    pub async fn rebuild(&self, operator: Option<Operator>) -> Result<Rebuilt, AuditError> {
        let db = self.database.begin_write().await?;
        let mut rebuilt = Rebuilt::default();
        let mut sums = BTreeMap::new();
        let mut last_id = 0;
        while let Some(accounts) = Accounts::after(&*db, last_id).await? {
            last_id = accounts.last_id();
            for (row, lots) in accounts.repair(&*db, &mut sums).await? {
                let name = format!("{} of {}", row.asset, row.owner);
                lot::Entity::delete_many()
                    .filter(lot::Column::AccountId.eq(row.id))
                    .exec(&*db)
                    .await?;
                for lots in lots.chunks(ROWS) {
                    let lots = lots.iter().map(|lot| lot::Model {
                        account_id: row.id,
                        expires_at: lot.expires_at,
                        remaining: lot.remaining,
                    });
                    let lots = lots.map(IntoActiveModel::into_active_model);
                    lot::Entity::insert_many(lots)
                        .exec_without_returning(&*db)
                        .await?;
                }
                let row = row.into_active_model().reset_all();
                row.update(&*db).await?;
                rebuilt.accounts.push(name);
            }
        }
        rebuilt.contras = rebuild_contras(&db, sums).await?;
        let Some(operator) = operator else {
            return Ok(rebuilt);
        };
        if rebuilt != Rebuilt::default() {
            let event = JournalEvent::Rebuilt {
                accounts: rebuilt.accounts.len(),
                contras: rebuilt.contras.len(),
            };
            journal::append(&db, &event, self.now(), operator).await?;
            db.commit().await?;
        }
        Ok(rebuilt)
    }
}

/// Sets the rows of each contra account that differs: the first one to what its entries sum to, the others to nothing.
async fn rebuild_contras(
    db: &GuardedTransaction,
    mut sums: BTreeMap<(String, Contra), ContraGain>,
) -> Result<Vec<String>, AuditError> {
    let rows = contra::Entity::find()
        .order_by_asc(contra::Column::Asset)
        .order_by_asc(contra::Column::Name)
        .order_by_asc(contra::Column::Shard);
    let mut contras: BTreeMap<(String, String), Vec<contra::Model>> = BTreeMap::new();
    for row in rows.all(&**db).await? {
        let key = (row.asset.clone(), row.name.clone());
        contras.entry(key).or_default().push(row);
    }
    for (asset, name) in sums.keys() {
        let key = (asset.clone(), name.name().to_owned());
        contras.entry(key).or_default();
    }
    let mut rebuilt = Vec::new();
    for ((asset, name), rows) in contras {
        let key = Contra::from_name(&name).map(|name| (asset.clone(), name));
        let expected = key.and_then(|key| sums.remove(&key)).unwrap_or_default();
        let mut found = ContraGain::default();
        for row in &rows {
            found.merge(ContraGain {
                points: row.balance,
                entries: row.entries,
                checksum: row.checksum,
            });
        }
        if found == expected {
            continue;
        }
        rebuilt.push(format!("{asset} {name}"));
        if rows.is_empty() {
            let row = contra::Model {
                asset: asset.clone(),
                name: name.clone(),
                shard: 0,
                balance: expected.points,
                entries: expected.entries,
                checksum: expected.checksum,
            };
            contra::Entity::insert(row.into_active_model())
                .exec_without_returning(&**db)
                .await?;
        }
        for (at, row) in rows.into_iter().enumerate() {
            let part = if at == 0 {
                expected
            } else {
                ContraGain::default()
            };
            let mut row = row.into_active_model();
            row.balance = Set(part.points);
            row.entries = Set(part.entries);
            row.checksum = Set(part.checksum);
            row.update(&**db).await?;
        }
    }
    Ok(rebuilt)
}
