//! Seals: the very snapshot that the audit has just found right, fixed in one signed checkpoint. `docs/proofs.md` has every byte.
//!
//! 1. What the second place has published must be a beginning of the log.
//! 2. The audit passes, in a snapshot, and the tree is built over the accounts of that snapshot.
//! 3. Record, states, note and a record of the journal are committed together, if no other seal was made meanwhile.
//! 4. The second place gets the note. A crash before that is made good by the next seal, which publishes the last note first.

mod accounts;
mod rows;
pub mod witness;

use ring::rand::{SecureRandom, SystemRandom};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::ledger::Ledger;
use crate::ledger::book::entry::Hash;
use crate::ledger::book::journal::Operator;
use crate::ledger::database::clock::ClockGap;
use crate::ledger::proof::checkpoint::Checkpoint;
use crate::ledger::proof::log;
use crate::ledger::proof::note::{Note, SigningKey};
use crate::ledger::proof::record::DayRecord;
use crate::ledger::read::seals::{self, StoredSeal, root_of};
use crate::ledger::upkeep::audit::{self, AuditError};
use crate::ledger::upkeep::journal;

use accounts::{Sealable, Totals};
use witness::Witness;

/// What is sealed, and by which key.
pub struct SealOrder<'a> {
    /// The key that signs.
    pub key: &'a SigningKey,
    /// The key that signs from the next seal on, if it changes.
    pub next_key: Option<&'a SigningKey>,
    /// The second place, where checkpoints are published; `None` = nowhere.
    pub witness: Option<&'a dyn Witness>,
    /// The program, for the record: `pointgate 0.1.0`.
    pub program: &'a str,
    /// The local day of a time (ms): `2026-05-20`.
    pub day: &'a (dyn Fn(i64) -> String + Sync),
    /// The local month of a time (ms): `2026-05`.
    pub month: &'a (dyn Fn(i64) -> String + Sync),
    /// Whom the journal names.
    pub operator: Operator,
}

/// Why the ledger was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The clock is not trusted: the day of a seal never changes.
    #[error("{0}")]
    Clock(#[from] ClockGap),
    /// What would be sealed is not right.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// The last published checkpoint is not one of this ledger: it was restored from a backup, or rewritten.
    #[error("the ledger does not extend the last published checkpoint: {0}")]
    NotExtended(String),
    /// The last seal names another key for this one.
    #[error("this seal is for the key {0}")]
    OtherKey(String),
    /// Another instance has made a seal meanwhile.
    #[error("another seal was made meanwhile")]
    Superseded,
    /// The second place cannot be read, or it took no checkpoint. In the latter case the seal is made, and the next one publishes it too.
    #[error("{0}")]
    Witness(String),
    /// The database failed.
    #[error("cannot seal the ledger: {0}")]
    Database(#[from] DbErr),
}

/// What one seal came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// What the audit covered.
    pub report: audit::Report,
    /// The number of the seal.
    pub number: i64,
    /// The signed checkpoint.
    pub note: String,
}

impl Ledger {
    /// Audits the ledger and seals what the audit saw. Calls `progress` with the entries done and the entries in all.
    ///
    /// # Errors
    /// Returns [`SealError`]; nothing is sealed then, except where the second place took no checkpoint.
    pub async fn seal(
        &self,
        order: &SealOrder<'_>,
        progress: impl FnMut(u64, u64),
    ) -> Result<Sealed, SealError> {
        let snapshot = self.database.begin_snapshot().await?;
        let before = seals::all(&snapshot).await?;
        check_key(order, &before)?;
        if let Some(witness) = order.witness {
            catch_up(witness, &before).await?;
        }
        let report = audit::check(&snapshot, progress).await?;
        let made = self.make(&snapshot, order, &before).await?;
        drop(snapshot);
        rows::store(&self.database, &made, order.operator.clone()).await?;
        if let Some(witness) = order.witness {
            witness.publish(&made.row.note).await?;
        }
        Ok(Sealed {
            report,
            number: made.row.number,
            note: made.row.note,
        })
    }

    /// Builds the next seal over what a database transaction sees.
    async fn make(
        &self,
        db: &DatabaseTransaction,
        order: &SealOrder<'_>,
        earlier: &[StoredSeal],
    ) -> Result<MadeSeal, SealError> {
        let (secret, totals_salt) = (random()?, random()?);
        let Sealable {
            leaves,
            changed,
            totals,
        } = accounts::collect(db, &secret, order.month).await?;
        let root = root_of(leaves).await?;
        let totals = Totals::text(totals, &totals_salt);
        let last_record = journal::last(db).await?;
        let now = self.trusted_now()?;
        let before = earlier.last();
        let record = DayRecord {
            number: before.map_or(1, |seal| seal.record.number.saturating_add(1)),
            day: (order.day)(now),
            at: now,
            root,
            totals: seals::totals_hash(&totals),
            journal_number: last_record.as_ref().map_or(0, |record| record.number),
            journal_head: last_record.map_or(Hash::default(), |record| record.hash),
            program: order.program.to_owned(),
            key: order.key.verifier().to_string(),
            next_key: order.next_key.map(|key| key.verifier().to_string()),
            before: before.map_or(Hash::default(), |seal| seal.record.leaf()),
        };
        let leaves = earlier.iter().map(|seal| seal.record.leaf());
        let leaves: Vec<Hash> = leaves.chain([record.leaf()]).collect();
        let checkpoint = Checkpoint {
            name: order.key.verifier().name().to_owned(),
            size: leaves.len() as u64,
            root: log::root(&leaves),
        };
        let keys: Vec<&SigningKey> = [Some(order.key), order.next_key]
            .into_iter()
            .flatten()
            .collect();
        let note = Note::sign(&checkpoint.text(), &keys);
        let note = note.ok_or_else(|| DbErr::Custom("the checkpoint cannot be signed".into()))?;
        Ok(MadeSeal {
            leaf: record.leaf(),
            at: now,
            row: entity::seal::Model {
                number: record.number,
                record: record.text(),
                totals,
                note: note.to_string(),
                secret: secret.to_vec(),
            },
            changed,
        })
    }

    /// The last checkpoint; `None` if nothing is sealed.
    ///
    /// # Errors
    /// Returns [`ReadError`](crate::ledger::ReadError) if the database fails.
    pub async fn checkpoint(&self) -> Result<Option<String>, crate::ledger::ReadError> {
        Ok(self
            .database
            .again(|| seals::last_note(self.database.read()))
            .await?)
    }

    /// All seals, in order.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database fails or a seal cannot be read.
    pub async fn seals(&self) -> Result<Vec<StoredSeal>, DbErr> {
        self.database
            .again(|| seals::all(self.database.read()))
            .await
    }

    /// The record of the last seal; `None` if nothing is sealed.
    ///
    /// # Errors
    /// Returns [`SealError::Database`] if the database fails or the record cannot be read.
    pub async fn last_seal(&self) -> Result<Option<DayRecord>, SealError> {
        let last = self.database.again(|| seals::last(self.database.read()));
        Ok(last.await?.map(|seal| seal.record))
    }
}

/// A seal that is not stored yet.
struct MadeSeal {
    row: entity::seal::Model,
    leaf: Hash,
    at: i64,
    changed: Vec<entity::sealed_account::Model>,
}

/// Refuses a key that the last seal does not name.
fn check_key(order: &SealOrder<'_>, seals: &[StoredSeal]) -> Result<(), SealError> {
    let Some(last) = seals.last() else {
        return Ok(());
    };
    let wanted = last.record.signs_next();
    match order.key.verifier().to_string() == *wanted {
        true => Ok(()),
        false => Err(SealError::OtherKey(wanted.to_owned())),
    }
}

/// Refuses a log that does not extend what was published last, and publishes what was not.
async fn catch_up(witness: &dyn Witness, stored: &[StoredSeal]) -> Result<(), SealError> {
    let published = witness.last().await?;
    let size = match &published {
        None => 0,
        Some(note) => seals::size_in(note, stored).map_err(SealError::NotExtended)?,
    };
    match stored.last() {
        Some(last) if size < stored.len() => witness.publish(&last.note.to_string()).await,
        _ => Ok(()),
    }
}

/// 32 random bytes.
fn random() -> Result<Hash, DbErr> {
    let mut bytes = Hash::default();
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| DbErr::Custom("the system has no random bytes".into()))?;
    Ok(bytes)
}
