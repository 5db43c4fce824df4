//! The journal in the database: it grows under a lock, in the transaction of what it records.

use entity::journal;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryOrder};

use crate::ledger::book::journal::{JournalEvent, JournalRecord, Operator};
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::database::lock::{Lock, lock};

/// Appends the record of an event (`at` in ms since 1970 UTC) to the journal, and returns its number. It is there once the
/// transaction commits; until then, no other transaction appends one.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn append(
    db: &GuardedTransaction,
    event: &JournalEvent,
    at: i64,
    operator: Operator,
) -> Result<i64, DbErr> {
    lock_journal(db).await?;
    let last = last(db).await?;
    let record = JournalRecord::of(event, at, operator, last.as_ref());
    let row = journal::Model {
        number: record.number,
        at: record.at,
        kind: record.kind,
        operator: record.operator.user,
        request_id: record.operator.request_id,
        details: record.details,
        hash: record.hash.to_vec(),
    };
    journal::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(record.number)
}

/// The last record; `None` if there is none.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn last(db: &impl ConnectionTrait) -> Result<Option<JournalRecord>, DbErr> {
    let last = journal::Entity::find().order_by_desc(journal::Column::Number);
    Ok(last.one(db).await?.map(read))
}

/// Lets no other transaction append to the journal until this one ends.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn lock_journal(db: &GuardedTransaction) -> Result<(), DbErr> {
    lock(db, Lock::Journal).await
}

/// Reads a record from its row.
pub(in crate::ledger) fn read(row: journal::Model) -> JournalRecord {
    JournalRecord {
        number: row.number,
        at: row.at,
        kind: row.kind,
        operator: Operator {
            user: row.operator,
            request_id: row.request_id,
        },
        details: row.details,
        // No record has the hash of zeros, so that the audit names one whose hash was cut.
        hash: row.hash.as_slice().try_into().unwrap_or_default(),
    }
}
