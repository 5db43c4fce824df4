//! The audit of sealed states: each is what the account's entries up to its number make of it.

use std::collections::{BTreeMap, VecDeque};

use entity::{account, sealed_account};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{AuditError, ROWS, broken};
use crate::ledger::book::account::Account;
use crate::ledger::proof::state::AccountState;
use crate::ledger::read::seals::StateSum;

/// Reads the sealed states of accounts with consecutive numbers in order, a chunk at a time.
pub struct SealedStates<'a, C> {
    db: &'a C,
    /// The first and the last account.
    ids: (i64, i64),
    /// The last seal of the audited snapshot.
    last_seal: i64,
    rows: VecDeque<sealed_account::Model>,
    after: (i64, i64),
    done: bool,
    /// The rows of each seal so far.
    pub sums: BTreeMap<i64, StateSum>,
}

impl<'a, C: ConnectionTrait> SealedStates<'a, C> {
    /// The states of the accounts `ids.0 ..= ids.1` in the seals up to one.
    pub fn new(db: &'a C, ids: (i64, i64), last_seal: i64) -> Self {
        SealedStates {
            db,
            ids,
            last_seal,
            rows: VecDeque::new(),
            after: (ids.0, i64::MIN),
            done: last_seal == 0,
            sums: BTreeMap::new(),
        }
    }

    /// Compares the account after an entry with its state in the seal that has that entry as its last one.
    ///
    /// # Errors
    /// Returns [`AuditError`] if they differ, or if the database fails.
    pub async fn compare(
        &mut self,
        row: &account::Model,
        replayed: &Account,
    ) -> Result<(), AuditError> {
        let Some(next) = self.next_of(row).await? else {
            return Ok(());
        };
        if next.seq > replayed.last_seq {
            return Ok(());
        }
        let state = AccountState::of(replayed);
        if next.seq != state.seq || next.state != state.hash() {
            return Err(differs(row, next));
        }
        if let Some(next) = self.rows.pop_front() {
            self.sums.entry(next.seal).or_default().add(&next);
        }
        Ok(())
    }

    /// Makes sure that no state of an account is left after its last entry.
    ///
    /// # Errors
    /// Returns [`AuditError`] if one is, or if the database fails.
    pub async fn finish(&mut self, row: &account::Model) -> Result<(), AuditError> {
        match self.next_of(row).await? {
            Some(next) => Err(differs(row, next)),
            None => Ok(()),
        }
    }

    /// The next state, if it belongs to this account.
    async fn next_of(
        &mut self,
        row: &account::Model,
    ) -> Result<Option<&sealed_account::Model>, AuditError> {
        if self.rows.is_empty() && !self.done {
            self.fill().await?;
        }
        match self.rows.front() {
            Some(next) if next.account_id < row.id => {
                let why = format!("is in the seal {}, but not there", next.seal);
                Err(broken(format!("account {}", next.account_id), why))
            }
            next => Ok(next.filter(|next| next.account_id == row.id)),
        }
    }

    async fn fill(&mut self) -> Result<(), DbErr> {
        let (id, seal) = self.after;
        let same_account = sealed_account::Column::AccountId
            .eq(id)
            .and(sealed_account::Column::Seal.gt(seal));
        let rows = sealed_account::Entity::find()
            .filter(sealed_account::Column::AccountId.between(id, self.ids.1))
            .filter(sealed_account::Column::AccountId.gt(id).or(same_account))
            .filter(sealed_account::Column::Seal.lte(self.last_seal))
            .order_by_asc(sealed_account::Column::AccountId)
            .order_by_asc(sealed_account::Column::Seal)
            .limit(ROWS)
            .all(self.db)
            .await?;
        self.done = (rows.len() as u64) < ROWS;
        if let Some(last) = rows.last() {
            self.after = (last.account_id, last.seal);
        }
        self.rows = rows.into();
        Ok(())
    }
}

fn differs(row: &account::Model, sealed: &sealed_account::Model) -> AuditError {
    let account = format!("{} of {}", row.asset, row.owner);
    let (seal, seq) = (sealed.seal, sealed.seq);
    broken(
        account,
        format!("entry {seq}: is not what the seal {seal} says"),
    )
}
