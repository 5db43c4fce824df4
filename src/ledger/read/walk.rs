//! One account from its first entry on, replayed by the rules that wrote it: each entry with its origin, and the lots after it.

use std::collections::{HashMap, HashSet, VecDeque};

use entity::{account, entry, opening};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::ledger::book::entry::{Entry, Hash};
use crate::ledger::book::openings::Opening;
use crate::ledger::book::origins::OriginRecord;
use crate::ledger::book::replay::Replay;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::proof::state::AccountState;
use crate::ledger::read::entries;

/// The entries in memory at a time.
const ROWS: u64 = 1000;

/// Why an account cannot be told from its first entry on.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// An entry is not one that the ledger can have written.
    #[error("{0}: run `pointgate audit`")]
    Broken(String),
    /// The database failed.
    #[error("cannot read the ledger: {0}")]
    Database(#[from] DbErr),
}

/// An entry with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEntry {
    /// As the replay has verified it.
    pub entry: Entry,
    /// Who asked for it; `None` in the first format.
    pub origin: Option<OriginRecord>,
}

/// An account, as far as its entries have been read.
pub struct AccountWalk {
    db: DatabaseConnection,
    key: AccountKey,
    account_id: i64,
    last_seq: i64,
    opening: Option<Opening>,
    replay: Replay,
    origins: HashMap<i64, OriginRecord>,
    rows: VecDeque<entry::Model>,
}

impl AccountWalk {
    /// Begins before the first entry of an account.
    ///
    /// # Errors
    /// Returns [`WalkError`] if the database does not answer, or if the account's opening cannot be read.
    pub async fn begin(db: &DatabaseConnection, row: account::Model) -> Result<Self, WalkError> {
        let opening = opening::Entity::find_by_id(row.id).one(db).await?;
        let opening = opening.map(|row| entries::opening(&row)).transpose();
        let opening = opening.map_err(|why| WalkError::Broken(why.to_owned()))?;
        Ok(AccountWalk {
            db: db.clone(),
            key: AccountKey {
                owner: row.owner,
                asset: row.asset,
            },
            account_id: row.id,
            last_seq: row.last_seq,
            opening,
            replay: Replay::default(),
            origins: HashMap::new(),
            rows: VecDeque::new(),
        })
    }

    /// The account under the name of its owner.
    pub fn key(&self) -> &AccountKey {
        &self.key
    }

    /// What the entries so far make of the account.
    pub fn state(&self) -> AccountState {
        AccountState::of(self.replay.account())
    }

    /// The next entry of those that were there when the walk began; `None` at the end.
    ///
    /// # Errors
    /// Returns [`WalkError`] if the database does not answer, or if the entry does not follow from those before.
    pub async fn next(&mut self) -> Result<Option<KnownEntry>, WalkError> {
        if self.replay.account().last_seq >= self.last_seq {
            return Ok(None);
        }
        if self.rows.is_empty() {
            self.fill().await?;
        }
        let broken = |why: String| {
            WalkError::Broken(format!("{} of {} {why}", self.key.asset, self.key.owner))
        };
        let Some(row) = self.rows.pop_front() else {
            return Err(broken("lacks entries".to_owned()));
        };
        let digests: HashMap<i64, Hash> = row
            .origin_id
            .and_then(|id| Some((id, self.origins.get(&id)?.digest())))
            .into_iter()
            .collect();
        let entry = entries::from_row(&self.key, &row, &digests);
        let entry = entry.map_err(|why| broken(format!("entry {} {why}", row.seq)))?;
        self.replay.add(&entry).map_err(broken)?;
        if let Some(opening) = self.opening.take_if(|opening| opening.seq == entry.seq) {
            self.replay.open(&opening).map_err(broken)?;
        }
        let origin = row.origin_id.and_then(|id| self.origins.get(&id).cloned());
        Ok(Some(KnownEntry { entry, origin }))
    }

    async fn fill(&mut self) -> Result<(), DbErr> {
        let rows = entry::Entity::find()
            .filter(entry::Column::AccountId.eq(self.account_id))
            .filter(entry::Column::Seq.gt(self.replay.account().last_seq))
            .filter(entry::Column::Seq.lte(self.last_seq))
            .order_by_asc(entry::Column::Seq)
            .limit(ROWS)
            .all(&self.db)
            .await?;
        let ids: HashSet<i64> = rows.iter().filter_map(|row| row.origin_id).collect();
        self.origins = entries::origins(&self.db, &ids).await?;
        self.rows = rows.into();
        Ok(())
    }
}
