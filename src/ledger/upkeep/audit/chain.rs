//! The audit of the journal: no record is missing between two, and each has the hash over the one before it.

use sea_orm::DatabaseTransaction;

use super::{AuditError, broken};
use crate::ledger::book::entry::Hash;
use crate::ledger::upkeep::journal;

/// Verifies the journal as a database transaction sees it.
pub async fn check_journal(db: &DatabaseTransaction) -> Result<(), AuditError> {
    let mut expected = 1;
    let mut head = Hash::default();
    let mut last = i64::MIN;
    loop {
        let records = journal::after(db, last).await?;
        if records.is_empty() {
            return Ok(());
        }
        for record in records {
            let name = format!("journal record {expected}");
            if record.number != expected {
                let why = format!("is missing, the next one has the number {}", record.number);
                return Err(broken(name, why));
            }
            head = record.hash_after(&head);
            if record.hash != head {
                return Err(broken(name, "its hash does not match its content"));
            }
            last = record.number;
            expected += 1;
        }
    }
}
