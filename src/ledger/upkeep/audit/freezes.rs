//! The audit of freezes: those that stand are what the journal's records come to.

use std::collections::BTreeMap;

use entity::frozen_owner;
use sea_orm::{DatabaseTransaction, EntityTrait};

use super::{AuditError, broken};
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::journal::JournalRecord;

/// Freezes by owner: the scope, the time and the number of the record.
#[derive(Debug, Default)]
pub struct Freezes(BTreeMap<String, (FreezeScope, i64, i64)>);

/// Compares the freezes that stand with those that the journal's records come to.
pub async fn check_freezes(db: &DatabaseTransaction, expected: Freezes) -> Result<(), AuditError> {
    let mut expected = expected.0;
    for row in frozen_owner::Entity::find().all(db).await? {
        let scope = FreezeScope::from_number(row.scope);
        let found = scope.map(|scope| (scope, row.since, row.record));
        if expected.remove(&row.owner) != found {
            let why = "its freeze is not the one that the journal records";
            return Err(broken(row.owner, why));
        }
    }
    match expected.pop_first() {
        None => Ok(()),
        Some((owner, (_, _, record))) => {
            let why = format!("journal record {record} freezes it, but it is not frozen");
            Err(broken(owner, why))
        }
    }
}

impl Freezes {
    /// Follows the freezes through one record.
    pub fn follow(&mut self, record: &JournalRecord) {
        let freezes = &mut self.0;
        let owner = || record.detail("owner").unwrap_or_default();
        match record.kind.as_str() {
            "freeze" => {
                let scope = record.detail("scope");
                if let Some(scope) = scope.as_deref().and_then(FreezeScope::from_name) {
                    freezes.insert(owner(), (scope, record.at, record.number));
                }
            }
            "unfreeze" => {
                freezes.remove(&owner());
            }
            "link" => {
                let name = record.detail("name").unwrap_or_default();
                let strictest = match (freezes.remove(&name), freezes.get(&owner())) {
                    (Some(of_name), Some(of_owner)) if of_owner.0 >= of_name.0 => *of_owner,
                    (Some(of_name), _) => of_name,
                    (None, Some(of_owner)) => *of_owner,
                    (None, None) => return,
                };
                freezes.insert(owner(), strictest);
                if !record.kept().is_empty() {
                    freezes.insert(name, strictest);
                }
            }
            _ => {}
        }
    }
}
