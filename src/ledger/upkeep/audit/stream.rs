//! The entries of accounts, in order, a chunk at a time.

use std::collections::{HashMap, HashSet};

use entity::{account, entry};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{AuditError, ROWS, broken};
use crate::ledger::book::hash::Hash;
use crate::ledger::read::entries;

/// The most origins in memory at a time.
const ORIGINS: usize = 100_000;

/// Reads the entries of the accounts `ids.0 ..= ids.1` in order, a chunk at a time.
pub struct Entries<'a, C> {
    db: &'a C,
    ids: (i64, i64),
    chunk: std::iter::Peekable<std::vec::IntoIter<entry::Model>>,
    after: (i64, i64),
    done: bool,
    /// The digests of the chunk's origins.
    pub origins: HashMap<i64, Hash>,
}

impl<'a, C: ConnectionTrait> Entries<'a, C> {
    /// Begins before the first entry.
    pub fn new(db: &'a C, ids: (i64, i64)) -> Self {
        Entries {
            db,
            ids,
            chunk: Vec::new().into_iter().peekable(),
            after: (ids.0, i64::MIN),
            done: false,
            origins: HashMap::new(),
        }
    }

    /// The next entry, if it belongs to this account and is not newer than its row.
    ///
    /// # Errors
    /// Returns [`AuditError`] for entries without an account, or if the database fails.
    pub async fn next_of(
        &mut self,
        account: &account::Model,
    ) -> Result<Option<entry::Model>, AuditError> {
        loop {
            if self.chunk.peek().is_none() && !self.done {
                self.fill().await?;
            }
            let Some(row) = self.chunk.peek() else {
                return Ok(None);
            };
            if row.account_id > account.id {
                return Ok(None);
            }
            if row.account_id < account.id {
                let why = "has entries, but no account";
                return Err(broken(format!("account {}", row.account_id), why));
            }
            let row = self.chunk.next();
            if let Some(row) = row
                && row.seq <= account.last_seq
            {
                return Ok(Some(row));
            }
        }
    }

    async fn fill(&mut self) -> Result<(), AuditError> {
        let (id, seq) = self.after;
        let same_account = entry::Column::AccountId
            .eq(id)
            .and(entry::Column::Seq.gt(seq));
        let rows = entry::Entity::find()
            .filter(entry::Column::AccountId.between(id, self.ids.1))
            .filter(entry::Column::AccountId.gt(id).or(same_account))
            .order_by_asc(entry::Column::AccountId)
            .order_by_asc(entry::Column::Seq)
            .limit(ROWS)
            .all(self.db)
            .await?;
        self.done = (rows.len() as u64) < ROWS;
        if let Some(last) = rows.last() {
            self.after = (last.account_id, last.seq);
        }
        self.load_origins(&rows).await?;
        self.chunk = rows.into_iter().peekable();
        Ok(())
    }

    async fn load_origins(&mut self, rows: &[entry::Model]) -> Result<(), AuditError> {
        if self.origins.len() > ORIGINS {
            self.origins.clear();
        }
        let ids = rows.iter().filter_map(|row| row.origin_id);
        let missing: HashSet<i64> = ids.filter(|id| !self.origins.contains_key(id)).collect();
        for (id, record) in entries::origins(self.db, &missing).await? {
            self.origins.insert(id, record.digest());
        }
        Ok(())
    }
}
