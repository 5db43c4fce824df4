//! The audit of freezes: those that stand are what the journal's records come to.

use std::collections::BTreeMap;

use entity::frozen_owner;
use sea_orm::{DatabaseTransaction, EntityTrait};

use super::{AuditError, broken};
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::journal::JournalRecord;
use crate::ledger::upkeep::journal;

/// Freezes by owner: the scope, the time and the number of the record.
type Freezes = BTreeMap<String, (FreezeScope, i64, i64)>;

/// Compares the freezes that stand with the journal, as a database transaction sees both.
pub async fn check_freezes(db: &DatabaseTransaction) -> Result<(), AuditError> {
    let mut expected = Freezes::new();
    let mut last = i64::MIN;
    loop {
        let records = journal::after(db, last).await?;
        let Some(newest) = records.last() else {
            break;
        };
        last = newest.number;
        records
            .iter()
            .for_each(|record| follow(&mut expected, record));
    }
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

/// Follows the freezes through one record.
fn follow(freezes: &mut Freezes, record: &JournalRecord) {
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
