//! What a transaction would do, found out by doing it in memory.

use crate::ledger::book::entry::Entry;
use crate::ledger::book::transaction::{Applied, Transaction};
use crate::ledger::write::load::load;
use crate::ledger::{ApplyError, Ledger};

/// What a transaction would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The answer that it would get.
    pub applied: Applied,
    /// The entries that it would make.
    pub entries: Vec<Entry>,
}

impl Ledger {
    /// Applies a transaction to what the database holds now, and saves nothing.
    ///
    /// # Errors
    /// Returns [`ApplyError`] if a rule forbids it, or if the database fails.
    pub async fn preview(&self, transaction: &Transaction) -> Result<Preview, ApplyError> {
        let failed = |error| {
            log::error!("cannot read what a transaction touches: {error}");
            ApplyError::Unavailable
        };
        let db = self.database.begin_write().await.map_err(failed)?;
        let loaded = load(&db, &[transaction], self.expiry_reason).await;
        let mut book = loaded.map_err(failed)?;
        db.rollback().await.map_err(failed)?;
        let applied = book.apply(transaction, self.clock.now())?;
        let entries = book.into_changes().entries;
        Ok(Preview { applied, entries })
    }
}
