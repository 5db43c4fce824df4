//! The audit of seals: every record follows the one before it, its checkpoint is signed by the key that the log names, and the journal
//! has a record of each.

use entity::{journal, seal};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder};

use super::{AuditError, broken};
use crate::ledger::book::entry::Hash;
use crate::ledger::proof::checkpoint::Checkpoint;
use crate::ledger::proof::log::Frontier;
use crate::ledger::proof::note::VerifierKey;
use crate::ledger::read::seals::{StoredSeal, leaves_at, root_of};

/// Verifies the log of seals as a database transaction sees it, and the tree of accounts at the last one and at each of `numbers`.
pub async fn check_seals(db: &DatabaseTransaction, numbers: &[i64]) -> Result<(), AuditError> {
    let rows = seal::Entity::find().order_by_asc(seal::Column::Number);
    let mut chain = Chain::default();
    for row in rows.all(db).await? {
        let number = chain.seals.len() as i64 + 1;
        let name = format!("seal {number}");
        if row.number != number {
            let why = format!("is missing, the next one has the number {}", row.number);
            return Err(broken(name, why));
        }
        let seal = StoredSeal::of(row);
        let added = seal.ok_or("cannot be read").and_then(|it| chain.add(it));
        added.map_err(|why| broken(name, why))?;
    }
    check_journal(db, &chain).await?;
    let last = chain.seals.last().map(|seal| seal.record.number);
    for seal in &chain.seals {
        let number = seal.record.number;
        if Some(number) == last || numbers.contains(&number) {
            let root = async { root_of(leaves_at(db, number, &seal.secret).await?).await };
            let root = root.await.map_err(|error| match error {
                DbErr::Custom(why) => broken(format!("seal {number}"), why),
                error => error.into(),
            })?;
            if root != seal.record.root {
                let why = "its root is not that of the states of accounts";
                return Err(broken(format!("seal {number}"), why));
            }
        }
    }
    Ok(())
}

/// The seals so far.
#[derive(Default)]
struct Chain {
    seals: Vec<StoredSeal>,
    leaves: Vec<Hash>,
    log: Frontier,
}

impl Chain {
    fn add(&mut self, seal: StoredSeal) -> Result<(), &'static str> {
        let record = &seal.record;
        if record.before != self.leaves.last().copied().unwrap_or_default() {
            return Err("does not follow the one before it");
        }
        let key = self.seals.last().map(|seal| seal.record.signs_next());
        if key.is_some_and(|key| key != record.key) {
            return Err("names another key than the one before it");
        }
        let leaf = record.leaf();
        self.log.push(leaf);
        let keys = [Some(&record.key), record.next_key.as_ref()];
        let keys = keys
            .into_iter()
            .flatten()
            .map(|key| VerifierKey::parse(key));
        let keys: Option<Vec<VerifierKey>> = keys.collect();
        let keys = keys.ok_or("names a key that is none")?;
        // Each of them by itself: a change of the key needs both.
        let signed = |key: &VerifierKey| seal.note.verify(std::slice::from_ref(key)).is_ok();
        if !keys.iter().all(signed) {
            return Err("its checkpoint is not signed by its key");
        }
        let expected = Checkpoint {
            name: keys.first().map_or("", VerifierKey::name).to_owned(),
            size: self.log.size(),
            root: self.log.root(),
        };
        if Checkpoint::parse(&seal.note.text) != Some(expected) {
            return Err("its checkpoint is not that of the log");
        }
        self.leaves.push(leaf);
        self.seals.push(seal);
        Ok(())
    }
}

/// The journal has one record for each seal, in their order.
async fn check_journal(db: &DatabaseTransaction, chain: &Chain) -> Result<(), AuditError> {
    let records = journal::Entity::find()
        .filter(journal::Column::Kind.eq("seal"))
        .order_by_asc(journal::Column::Number);
    let records = records.all(db).await?;
    for (at, record) in records.iter().enumerate() {
        let details: serde_json::Value = serde_json::from_str(&record.details).unwrap_or_default();
        let leaf = chain.leaves.get(at).map(hex::encode);
        if leaf.is_none() || details["leaf"].as_str() != leaf.as_deref() {
            let why = format!(
                "is not the one in the record {} of the journal",
                record.number
            );
            return Err(broken(format!("seal {}", at + 1), why));
        }
    }
    match records.len() == chain.leaves.len() {
        true => Ok(()),
        false => {
            let number = records.len() + 1;
            let why = "has no record in the journal";
            Err(broken(format!("seal {number}"), why))
        }
    }
}
