//! The audit of seals: every record follows the one before it, its checkpoint is signed by the key that the log names, and the journal
//! has a record of each.

use std::collections::BTreeMap;

use entity::{seal, sealed_account};
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryOrder};

use super::{AuditError, broken};
use crate::ledger::book::entry::Hash;
use crate::ledger::proof::checkpoint::Checkpoint;
use crate::ledger::proof::log::Frontier;
use crate::ledger::proof::note::{Note, VerifierKey};
use crate::ledger::read::seals::{StateSum, StoredSeal, leaves_at, root_of, size_in};

/// Verifies the log of seals as a database transaction sees it, against what was published of it and against the states of accounts that the
/// audit has compared with entries; and the tree of accounts at the last seal and at each published one.
pub async fn check_seals(
    db: &DatabaseTransaction,
    published: &[Note],
    states: &BTreeMap<i64, StateSum>,
    journal: &[(i64, Option<String>)],
) -> Result<(), AuditError> {
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
    check_journal(journal, &chain)?;
    check_states(db, &chain, states).await?;
    let mut sizes = vec![chain.seals.len()];
    for note in published {
        let size = size_in(note, &chain.seals);
        sizes.push(size.map_err(|why| broken("a published checkpoint", why))?);
    }
    sizes.sort_unstable();
    sizes.dedup();
    let of_size = |size: usize| size.checked_sub(1).and_then(|at| chain.seals.get(at));
    for seal in sizes.into_iter().filter_map(of_size) {
        check_tree(db, seal).await?;
    }
    Ok(())
}

/// The root of a seal is that of the accounts in it.
async fn check_tree(db: &DatabaseTransaction, seal: &StoredSeal) -> Result<(), AuditError> {
    let number = seal.record.number;
    let root = async { root_of(leaves_at(db, number, &seal.secret).await?).await };
    let root = root.await.map_err(|error| match error {
        DbErr::Custom(why) => broken(format!("seal {number}"), why),
        error => error.into(),
    })?;
    match root == seal.record.root {
        true => Ok(()),
        false => {
            let why = "its root is not that of the states of accounts";
            Err(broken(format!("seal {number}"), why))
        }
    }
}

/// No state is missing from a seal, and none is there beside those that belong to an account.
async fn check_states(
    db: &DatabaseTransaction,
    chain: &Chain,
    states: &BTreeMap<i64, StateSum>,
) -> Result<(), AuditError> {
    let mut rows = 0;
    for seal in &chain.seals {
        let totals: serde_json::Value = serde_json::from_str(&seal.totals).unwrap_or_default();
        let found = states.get(&seal.record.number).copied();
        let found = found.unwrap_or_default();
        rows += found.rows;
        let same = totals["changed"].as_u64() == Some(found.rows)
            && totals["checksum"].as_str() == Some(&found.checksum());
        if !same {
            let why = "the states of accounts are not those that were sealed";
            return Err(broken(format!("seal {}", seal.record.number), why));
        }
    }
    match sealed_account::Entity::find().count(db).await? == rows {
        true => Ok(()),
        false => Err(broken(
            "sealed_account",
            "has states of accounts that are not there",
        )),
    }
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
fn check_journal(records: &[(i64, Option<String>)], chain: &Chain) -> Result<(), AuditError> {
    for (at, (number, named)) in records.iter().enumerate() {
        let leaf = chain.leaves.get(at).map(hex::encode);
        if leaf.is_none() || *named != leaf {
            let why = format!("is not the one in the record {number} of the journal");
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
