//! The movements of one account in a period.

use crate::ledger::Ledger;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::proof::state::AccountState;
use crate::ledger::read::history::{find_account, last_seq_before};
use crate::ledger::read::walk::{AccountWalk, KnownEntry, WalkError};

/// An account in a period, whose entries come one after the other.
pub struct PeriodWalk {
    walk: AccountWalk,
    last_seq: i64,
    /// The points before the period.
    pub opening: i64,
}

impl PeriodWalk {
    /// The account under the name of its owner.
    pub fn account(&self) -> &AccountKey {
        self.walk.key()
    }

    /// The next entry of the period; `None` at its end.
    ///
    /// # Errors
    /// As [`AccountWalk::next`].
    pub async fn next(&mut self) -> Result<Option<KnownEntry>, WalkError> {
        match self.walk.state().seq < self.last_seq {
            true => self.walk.next().await,
            false => Ok(None),
        }
    }

    /// What the entries so far make of the account.
    pub fn state(&self) -> AccountState {
        self.walk.state()
    }
}

impl Ledger {
    /// The entries of an account from one time (ms) up to another, by the rules that wrote them. `None` if there is no such account.
    ///
    /// # Errors
    /// Returns [`WalkError`] if the database does not answer, or if an entry does not follow from those before it.
    pub async fn statement(
        &self,
        account: &AccountKey,
        from: i64,
        until: i64,
    ) -> Result<Option<PeriodWalk>, WalkError> {
        let db = self.database.read();
        let Some(row) = find_account(db, account).await? else {
            return Ok(None);
        };
        let before = last_seq_before(db, &row, from).await?;
        let last_seq = last_seq_before(db, &row, until).await?;
        let mut walk = AccountWalk::begin(db, row).await?;
        while walk.state().seq < before && walk.next().await?.is_some() {}
        let opening = walk.state().balance;
        Ok(Some(PeriodWalk {
            walk,
            last_seq,
            opening,
        }))
    }
}
