//! Storing a seal: all of it in one transaction, with its record in the journal.

use entity::{seal, sealed_account};
use sea_orm::{EntityTrait, IntoActiveModel};

use super::{MadeSeal, SealError};
use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::database::Database;
use crate::ledger::database::lock::{Lock, lock};
use crate::ledger::read::seals;
use crate::ledger::upkeep::journal;

/// The rows of one insert.
const ROWS: usize = 200;

/// Stores a seal, unless another one was stored since its snapshot.
pub async fn store(
    database: &Database,
    made: &MadeSeal,
    operator: Operator,
) -> Result<(), SealError> {
    let db = database.begin_write().await?;
    lock(&db, Lock::Seal).await?;
    let last = seals::last_number(&db).await?;
    if last.saturating_add(1) != made.row.number {
        db.rollback().await?;
        return Err(SealError::Superseded);
    }
    seal::Entity::insert(made.row.clone().into_active_model())
        .exec_without_returning(&db)
        .await?;
    for chunk in made.changed.chunks(ROWS) {
        let rows = chunk
            .iter()
            .cloned()
            .map(IntoActiveModel::into_active_model);
        sealed_account::Entity::insert_many(rows)
            .exec_without_returning(&db)
            .await?;
    }
    let event = JournalEvent::Sealed {
        number: made.row.number,
        leaf: hex::encode(made.leaf),
    };
    journal::append(&db, &event, made.at, operator).await?;
    db.commit().await?;
    Ok(())
}
