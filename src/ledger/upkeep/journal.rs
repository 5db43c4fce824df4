//! Reading the journal.

use entity::journal;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::ledger::book::journal::JournalRecord;
use crate::ledger::journal::read;
pub use crate::ledger::journal::{append, last, lock_journal};
use crate::ledger::{Ledger, ReadError};

/// The records in memory at a time.
const ROWS: u64 = 1000;

/// Reads the next records after a number, oldest first; none at the end.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn after(db: &impl ConnectionTrait, number: i64) -> Result<Vec<JournalRecord>, DbErr> {
    let rows = journal::Entity::find()
        .filter(journal::Column::Number.gt(number))
        .order_by_asc(journal::Column::Number)
        .limit(ROWS)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Reads the records with these numbers.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn numbered(
    db: &impl ConnectionTrait,
    numbers: impl IntoIterator<Item = i64>,
) -> Result<Vec<JournalRecord>, DbErr> {
    let rows = journal::Entity::find().filter(journal::Column::Number.is_in(numbers));
    Ok(rows.all(db).await?.into_iter().map(read).collect())
}

/// Whether the journal says that the profile of an owner was erased.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn has_forgotten(db: &impl ConnectionTrait, owner: &str) -> Result<bool, DbErr> {
    let mut number = 0;
    loop {
        let records = after(db, number).await?;
        let Some(last) = records.last() else {
            return Ok(false);
        };
        number = last.number;
        if records.iter().any(|record| record.is_forgotten(owner)) {
            return Ok(true);
        }
    }
}

impl Ledger {
    /// Reads the next records of the journal after a number, oldest first; none at the end.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn journal_after(&self, number: i64) -> Result<Vec<JournalRecord>, ReadError> {
        Ok(self
            .database
            .again(|| after(self.database.read(), number))
            .await?)
    }
}
