//! Expiring lots that are due, through the writers like every other change.

use entity::account::{self, Model as AccountModel};
use futures_util::future::join_all;
use sea_orm::DbErr;

use crate::ledger::book::transaction::{AccountKey, Posting, PostingKind, Transaction};
use crate::ledger::database::lease::{EXPIRY, Lease};
use crate::ledger::read::due::accounts_after;
use crate::ledger::{ApplyError, Ledger, ReadError};

/// The number of accounts that expire side by side. It leaves places in the queue for callers.
const SIDE_BY_SIDE: u64 = 256;

impl Ledger {
    /// Expires every lot that is due at `due_by` (ms), in batches of accounts, each with transactions of its own. Returns the number of
    /// accounts that changed. If several instances run it at once, one does the work and the others find it done.
    ///
    /// # Errors
    /// Returns [`ApplyError`] if the clock is not trusted or the database fails; what expired by then stays expired, and another run
    /// continues there.
    pub async fn expire(&self, due_by: i64) -> Result<usize, ApplyError> {
        self.trusted_now()?;
        let lease = Lease::new(&self.database, EXPIRY);
        let expired = self.expire_in_batches(&lease, due_by).await;
        if let Err(error) = lease.release().await {
            log::warn!("cannot give back the lease of expiry, it ends by itself: {error}");
        }
        expired
    }

    async fn expire_in_batches(&self, lease: &Lease<'_>, due_by: i64) -> Result<usize, ApplyError> {
        let failed = |error: DbErr| {
            log::error!("cannot read the accounts to expire: {error}");
            ApplyError::Unavailable
        };
        let (mut changed, mut last_id) = (0, 0);
        loop {
            lease.hold().await.map_err(failed)?;
            let due = accounts_after(self.database.read(), due_by, last_id, SIDE_BY_SIDE).await;
            let due = due.map_err(failed)?;
            let Some(last) = due.last() else {
                return Ok(changed);
            };
            last_id = last.id;
            let accounts = due.into_iter();
            let expired = accounts.map(|account| self.expire_account(account, due_by));
            for expired in join_all(expired).await {
                expired?;
                changed += 1;
            }
        }
    }

    async fn expire_account(&self, account: account::Model, due_by: i64) -> Result<(), ApplyError> {
        let AccountModel { owner, asset, .. } = account;
        let posting = self.expiry(AccountKey { owner, asset }, due_by);
        // A caller fails if the queue is full; this waits.
        let applied = self
            .partitions
            .apply_when_free(Transaction::of(posting))
            .await;
        applied.map(|_| ())
    }

    /// Expires the lots of one account that are due at `now` (ms), a trusted time.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the queue is full or the database fails.
    pub(in crate::ledger) async fn expire_due(
        &self,
        account: AccountKey,
        now: i64,
    ) -> Result<(), ReadError> {
        let posting = self.expiry(account, now);
        match self.apply(Transaction::of(posting)).await {
            Ok(_) => Ok(()),
            Err(ApplyError::Busy) => Err(ReadError::Busy),
            Err(ApplyError::Unavailable | ApplyError::Rejected(_)) => Err(ReadError::Unavailable),
        }
    }

    /// The posting that expires an account's lots.
    fn expiry(&self, account: AccountKey, due_by: i64) -> Posting {
        Posting {
            account,
            kind: PostingKind::Expire { due_by },
            reason: self.expiry_reason,
            idempotency: None,
            requires: None,
            reference: None,
            message: None,
            operator: None,
        }
    }
}
