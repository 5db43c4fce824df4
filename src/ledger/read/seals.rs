//! Seals as the database stores them, and the accounts in each.

use entity::{seal, sealed_account};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryOrder, Statement};
use sha2::{Digest, Sha256};

use crate::ledger::book::entry::Hash;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::proof::checkpoint::Checkpoint;
use crate::ledger::proof::log;
use crate::ledger::proof::note::{Note, VerifierKey};
use crate::ledger::proof::record::DayRecord;
use crate::ledger::proof::state::{key_of, leaf_of, salt_of};
use crate::ledger::proof::tree::{AccountTree, Leaf};
use crate::ledger::read::pages::AccountPage;

/// A seal of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSeal {
    /// Its leaf in the log.
    pub record: DayRecord,
    /// The totals that belong to the record, canonical JSON.
    pub totals: String,
    /// The checkpoint up to it.
    pub note: Note,
    /// What the salts of its accounts are made from.
    pub secret: Hash,
}

impl StoredSeal {
    /// Reads a row. `None` if it cannot be one that the ledger wrote.
    pub fn of(row: seal::Model) -> Option<StoredSeal> {
        let record = DayRecord::parse(&row.record)?;
        let good = record.number == row.number && record.totals == totals_hash(&row.totals);
        good.then_some(StoredSeal {
            record,
            totals: row.totals,
            note: Note::parse(&row.note).ok()?,
            secret: row.secret.try_into().ok()?,
        })
    }
}

/// The rows of one seal: their number, and a checksum that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSum {
    /// The number of rows.
    pub rows: u64,
    sum: u128,
}

impl StateSum {
    /// Adds a row.
    pub fn add(&mut self, row: &sealed_account::Model) {
        let mut hash = Sha256::new();
        hash.update(row.account_id.to_be_bytes());
        hash.update(row.seq.to_be_bytes());
        hash.update(&row.state);
        let bytes: Hash = hash.finalize().into();
        let bytes = bytes.iter().take(16);
        let bytes = bytes.fold(0, |sum, &byte| sum << 8 | u128::from(byte));
        self.rows += 1;
        self.sum = self.sum.wrapping_add(bytes);
    }

    /// Adds the rows of another part of the same seal.
    pub fn merge(&mut self, other: StateSum) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// The checksum in hexadecimal.
    pub fn checksum(&self) -> String {
        format!("{:032x}", self.sum)
    }
}

/// The hash of totals in a record.
pub fn totals_hash(totals: &str) -> Hash {
    Sha256::digest(totals).into()
}

fn stored(row: seal::Model) -> Result<StoredSeal, DbErr> {
    let number = row.number;
    StoredSeal::of(row).ok_or_else(|| DbErr::Custom(format!("the seal {number} cannot be read")))
}

/// All seals, in order. Ten years have some 4,000.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<StoredSeal>, DbErr> {
    let rows = seal::Entity::find().order_by_asc(seal::Column::Number);
    rows.all(db).await?.into_iter().map(stored).collect()
}

/// The last seal.
pub async fn last(db: &impl ConnectionTrait) -> Result<Option<StoredSeal>, DbErr> {
    let rows = seal::Entity::find().order_by_desc(seal::Column::Number);
    rows.one(db).await?.map(stored).transpose()
}

/// The number of the last seal; 0 if nothing is sealed.
pub async fn last_number(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let rows = seal::Entity::find().order_by_desc(seal::Column::Number);
    Ok(rows.one(db).await?.map_or(0, |row| row.number))
}

/// The note of the last seal.
pub async fn last_note(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let rows = seal::Entity::find().order_by_desc(seal::Column::Number);
    Ok(rows.one(db).await?.map(|row| row.note))
}

/// How many of these seals a checkpoint covers.
///
/// # Errors
/// Returns why it is none of theirs.
pub fn size_in(note: &Note, seals: &[StoredSeal]) -> Result<usize, String> {
    let checkpoint = Checkpoint::parse(&note.text).ok_or("it is no checkpoint")?;
    let keys = seals
        .iter()
        .flat_map(|seal| [Some(&seal.record.key), seal.record.next_key.as_ref()]);
    let mut keys: Vec<&String> = keys.flatten().collect();
    keys.dedup();
    let keys = keys.into_iter().filter_map(|key| VerifierKey::parse(key));
    let signed = note.verify(&keys.collect::<Vec<_>>());
    signed.map_err(|why| format!("checkpoint {}: {why}", checkpoint.size))?;
    let size = usize::try_from(checkpoint.size).unwrap_or(usize::MAX);
    let Some(beginning) = seals.get(..size) else {
        let there = seals.len();
        return Err(format!("it has {size} seals, and the ledger {there}"));
    };
    let leaves: Vec<Hash> = beginning.iter().map(|seal| seal.record.leaf()).collect();
    match log::root(&leaves) == checkpoint.root {
        true => Ok(size),
        false => Err(format!(
            "the first {size} seals are not those of the checkpoint"
        )),
    }
}

#[derive(FromQueryResult)]
struct State {
    account_id: i64,
    state: Vec<u8>,
}

/// The leaves of the tree of accounts at a seal, from their stored states.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, or if a state has no account.
pub async fn leaves_at(
    db: &impl ConnectionTrait,
    number: i64,
    secret: &Hash,
) -> Result<Vec<Leaf>, DbErr> {
    let mut leaves: Vec<Leaf> = Vec::new();
    let mut last_id = i64::MIN;
    while let Some(page) = AccountPage::after(db, last_id).await? {
        last_id = page.ids.1;
        let states = states_at(db, number, page.ids).await?;
        let mut states = states.into_iter().peekable();
        for account in &page.accounts {
            let Some(state) = states.next_if(|state| state.account_id == account.id) else {
                continue;
            };
            let key = key_of(&AccountKey {
                owner: account.owner.clone(),
                asset: account.asset.clone(),
            });
            let state: Option<Hash> = state.state.try_into().ok();
            let state = state.unwrap_or_default();
            leaves.push(leaf_of(key, &salt_of(secret, &key), &state));
        }
        if let Some(state) = states.next() {
            let why = format!("account {} is sealed, but not there", state.account_id);
            return Err(DbErr::Custom(why));
        }
    }
    Ok(leaves)
}

/// The root over all accounts, computed beside the thread that serves the ledger: that takes seconds.
pub async fn root_of(leaves: Vec<Leaf>) -> Result<Hash, DbErr> {
    let root = || AccountTree::new(leaves).map(|tree| tree.root());
    let root = tokio::task::spawn_blocking(root).await;
    let root = root.map_err(|error| DbErr::Custom(format!("the tree was not built: {error}")))?;
    root.ok_or_else(|| DbErr::Custom("an account is there twice".to_owned()))
}

/// The state of each account with a number in a range, in the last seal up to this one that has it.
async fn states_at(
    db: &impl ConnectionTrait,
    number: i64,
    ids: (i64, i64),
) -> Result<Vec<State>, DbErr> {
    let (first, last) = ids;
    // Numbers alone, which need no quotes.
    let sql = format!(
        "SELECT s.account_id, s.state FROM sealed_account s JOIN (SELECT account_id, MAX(seal) AS seal FROM sealed_account \
         WHERE account_id BETWEEN {first} AND {last} AND seal <= {number} GROUP BY account_id) l \
         ON l.account_id = s.account_id AND l.seal = s.seal ORDER BY s.account_id"
    );
    let statement = Statement::from_string(db.get_database_backend(), sql);
    State::find_by_statement(statement).all(db).await
}
