//! The audit of the journal: no record is missing between two, and each has the hash over the one before it.

use std::collections::HashSet;

use sea_orm::ConnectionTrait;

use super::freezes::Freezes;
use super::{AuditError, broken};
use crate::ledger::book::hash::Hash;
use crate::ledger::book::journal::JournalRecord;
use crate::ledger::book::names::NameLink;
use crate::ledger::upkeep::journal;

/// What the journal says of other tables.
#[derive(Debug, Default)]
pub struct Vouched {
    /// Where it says that names lead.
    pub links: HashSet<NameLink>,
    /// The record of kind `format`.
    pub format: Option<JournalRecord>,
    /// The freezes that its records come to.
    pub freezes: Freezes,
    /// The number of each record of a seal, and the leaf that it names, in hexadecimal.
    pub seals: Vec<(i64, Option<String>)>,
}

impl Vouched {
    /// Takes over what a record says.
    pub fn add(&mut self, record: &JournalRecord) {
        self.links.extend(record.linked());
        self.freezes.follow(record);
        match record.kind.as_str() {
            "format" => self.format = Some(record.clone()),
            "seal" => self.seals.push((record.number, record.detail("leaf"))),
            _ => {}
        }
    }
}

/// Verifies the journal as a connection sees it. Returns what it says of other tables.
pub async fn check_journal(db: &impl ConnectionTrait) -> Result<Vouched, AuditError> {
    let mut vouched = Vouched::default();
    let mut expected = 1;
    let mut head = Hash::default();
    let mut last = i64::MIN;
    loop {
        let records = journal::after(db, last).await?;
        if records.is_empty() {
            return Ok(vouched);
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
            vouched.add(&record);
            last = record.number;
            expected += 1;
        }
    }
}
