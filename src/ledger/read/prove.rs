//! A statement with its proof: the entries of an account between two seals, and that they are what a checkpoint fixes.

use entity::{account, sealed_account};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder};

use crate::ledger::Ledger;
use crate::ledger::book::entry::Hash;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::proof::entry::entry_json;
use crate::ledger::proof::log;
use crate::ledger::proof::note::Note;
use crate::ledger::proof::state::{AccountState, key_of, salt_of};
use crate::ledger::proof::statement::{SealProof, head_line};
use crate::ledger::proof::tree::AccountTree;
use crate::ledger::read::history::{find_account, last_seq_before};
use crate::ledger::read::seals::{self, StoredSeal};
use crate::ledger::read::walk::{AccountWalk, WalkError};

/// Why a statement cannot be proven.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// There is no seal.
    #[error("nothing is sealed: run `pointgate seal`")]
    NothingSealed,
    /// The account has entries in the period that came after the last seal.
    #[error("entry {0} of the account is not sealed yet: run `pointgate seal`")]
    NotSealed(i64),
    /// The checkpoint is not one of this ledger.
    #[error("the checkpoint is not one of this ledger: {0}")]
    OtherLedger(String),
    /// The account cannot be read.
    #[error("{0}")]
    Walk(#[from] WalkError),
    /// A line could not be written.
    #[error("{0}")]
    Write(String),
}

impl From<DbErr> for ProofError {
    fn from(error: DbErr) -> Self {
        ProofError::Walk(error.into())
    }
}

/// Which entries are to be proven, and to which checkpoint.
#[derive(Clone, Debug)]
pub struct ProofOrder {
    /// The account, by any name of its owner.
    pub account: AccountKey,
    /// The first time of the period (ms).
    pub from: i64,
    /// The end of the period (ms), which is not part of it.
    pub until: i64,
    /// The checkpoint to prove it to; `None` = the last one.
    pub checkpoint: Option<Note>,
}

/// What was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The number of the opening seal; `None` if the proof begins with the first entry.
    pub opening: Option<i64>,
    /// The number of the closing seal.
    pub closing: i64,
    /// The number of entries.
    pub entries: u64,
}

impl Ledger {
    /// Proves the entries of an account in a period, from the last seal before it to the first one after it. Calls `write` with each line.
    ///
    /// # Errors
    /// Returns [`ProofError`] if no seal covers the period, if `write` fails, or if the database does.
    pub async fn prove(
        &self,
        order: &ProofOrder,
        mut write: impl FnMut(String) -> Result<(), String>,
    ) -> Result<Proven, ProofError> {
        let db = self.database.read();
        let mut all = seals::all(db).await?;
        if let Some(note) = &order.checkpoint {
            let size = seals::size_in(note, &all).map_err(ProofError::OtherLedger)?;
            all.truncate(size);
        }
        let Some(last) = all.last() else {
            return Err(ProofError::NothingSealed);
        };
        let checkpoint = order.checkpoint.as_ref().unwrap_or(&last.note).to_string();
        let log = Log::of(&all);
        let row = find_account(db, &order.account).await?;
        let Some(row) = row else {
            // No account: its absence from the last seal says so.
            return absent(db, &log, order, &checkpoint, &mut write).await;
        };
        let cut = Cut::find(db, &row, &log, order).await?;
        let mut walk = AccountWalk::begin(db, row).await?;
        let account = walk.key().clone();
        write(head_line(&account, &checkpoint)).map_err(ProofError::Write)?;
        let opening_seq = cut.opening.map_or(0, |(_, seq)| seq);
        while walk.state().seq < opening_seq && walk.next().await?.is_some() {}
        let opening = match cut.opening {
            Some((seal, _)) => log
                .prove(db, seal, &account, Some(walk.state()))
                .await?
                .line(),
            None => "null".to_owned(),
        };
        write(opening).map_err(ProofError::Write)?;
        let mut entries = 0;
        while walk.state().seq < cut.closing.1 {
            let Some(known) = walk.next().await? else {
                break;
            };
            let line = entry_json(&known.entry, known.origin.as_ref()).to_string();
            write(line).map_err(ProofError::Write)?;
            entries += 1;
        }
        let closing = Some(walk.state()).filter(|state| state.seq > 0);
        let closing = log.prove(db, cut.closing.0, &account, closing).await?;
        write(closing.line()).map_err(ProofError::Write)?;
        Ok(Proven {
            opening: cut.opening.map(|(seal, _)| seal.record.number),
            closing: cut.closing.0.record.number,
            entries,
        })
    }
}

async fn absent(
    db: &DatabaseConnection,
    log: &Log<'_>,
    order: &ProofOrder,
    checkpoint: &str,
    write: &mut impl FnMut(String) -> Result<(), String>,
) -> Result<Proven, ProofError> {
    let Some(last) = log.seals.last() else {
        return Err(ProofError::NothingSealed);
    };
    let closing = log.prove(db, last, &order.account, None).await?;
    for line in [
        head_line(&order.account, checkpoint),
        "null".to_owned(),
        closing.line(),
    ] {
        write(line).map_err(ProofError::Write)?;
    }
    Ok(Proven {
        opening: None,
        closing: last.record.number,
        entries: 0,
    })
}

/// The seals up to a checkpoint.
struct Log<'a> {
    seals: &'a [StoredSeal],
    leaves: Vec<Hash>,
}

impl<'a> Log<'a> {
    fn of(seals: &'a [StoredSeal]) -> Self {
        let leaves = seals.iter().map(|seal| seal.record.leaf());
        Log {
            seals,
            leaves: leaves.collect(),
        }
    }

    /// What a seal says of an account.
    async fn prove(
        &self,
        db: &DatabaseConnection,
        seal: &StoredSeal,
        account: &AccountKey,
        state: Option<AccountState>,
    ) -> Result<SealProof, ProofError> {
        let key = key_of(account);
        let number = seal.record.number;
        let leaves = seals::leaves_at(db, number, &seal.secret).await?;
        let prove = move || AccountTree::new(leaves).map(|tree| tree.prove(&key));
        let path = tokio::task::spawn_blocking(prove).await;
        let lost = |why: &str| DbErr::Custom(format!("the tree of seal {number} {why}"));
        let path = path.map_err(|error| lost(&format!("was not built: {error}")))?;
        let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
        let inclusion = log::prove_inclusion(&self.leaves, index);
        Ok(SealProof {
            record: seal.record.text(),
            log: inclusion.ok_or_else(|| lost("is not in the log"))?,
            path: path.ok_or_else(|| lost("has an account twice"))?,
            state: state.map(|state| (state, salt_of(&seal.secret, &key))),
        })
    }
}

/// The two seals between which entries are proven, each with the number of the account's last entry there; 0 without an account.
struct Cut<'a> {
    opening: Option<(&'a StoredSeal, i64)>,
    closing: (&'a StoredSeal, i64),
}

impl<'a> Cut<'a> {
    async fn find(
        db: &DatabaseConnection,
        account: &account::Model,
        log: &Log<'a>,
        order: &ProofOrder,
    ) -> Result<Cut<'a>, ProofError> {
        let rows = sealed_account::Entity::find()
            .filter(sealed_account::Column::AccountId.eq(account.id))
            .order_by_asc(sealed_account::Column::Seal);
        let rows = rows.all(db).await?;
        let seq_at = |seal: &StoredSeal| {
            let after = rows.partition_point(|row| row.seal <= seal.record.number);
            let last = after.checked_sub(1).and_then(|at| rows.get(at));
            last.map_or(0, |row| row.seq)
        };
        let before = last_seq_before(db, account, order.from).await?;
        let within = last_seq_before(db, account, order.until).await?;
        let opens = |seal: &&StoredSeal| seal.record.at <= order.from && seq_at(seal) <= before;
        let opening = log.seals.iter().rev().find(opens);
        let closes = |seal: &&StoredSeal| seal.record.at >= order.until && seq_at(seal) >= within;
        let Some(closing) = log.seals.iter().find(closes).or(log.seals.last()) else {
            return Err(ProofError::NothingSealed);
        };
        let sealed = seq_at(closing);
        match sealed < within {
            true => Err(ProofError::NotSealed(sealed + 1)),
            false => Ok(Cut {
                opening: opening.map(|seal| (seal, seq_at(seal))),
                closing: (closing, sealed),
            }),
        }
    }
}
