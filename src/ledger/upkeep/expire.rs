//! Lapsing what is due, through the writer like every other change.

use entity::account;
use futures_util::future::join_all;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::ledger::book::transaction::{AccountKey, Posting, PostingKind, Reason, Transaction};
use crate::ledger::database::lock::{self, Held};
use crate::ledger::{ApplyError, Ledger};

/// Accounts that are lapsed side by side: few enough to leave room in the queue for the callers.
const SIDE_BY_SIDE: u64 = 256;

impl Ledger {
    /// Lapses every lot that is due at `due_by` (ms) and gives the number of accounts that it touched. Of several at once,
    /// also at different instances, one does it, and the others find it done.
    ///
    /// # Errors
    /// Where the database fails; what had lapsed by then stays lapsed, and another run goes on from there.
    pub async fn expire(&self, due_by: i64) -> Result<usize, ApplyError> {
        let failed = |error: DbErr| {
            log::error!("due accounts could not be read: {error}");
            ApplyError::Unavailable
        };
        let alone = match self.database.read().get_database_backend() {
            // It would keep everybody from writing meanwhile, and lapsing twice changes nothing.
            DbBackend::Sqlite => None,
            _ => {
                let held = lock::wait_for(&self.database, Held::Expiry).await;
                Some(held.map_err(failed)?)
            }
        };
        let (mut touched, mut last_id) = (0, 0);
        loop {
            if let Some(alone) = &alone {
                // Servers end a transaction in which nothing happens for long.
                alone.execute_unprepared("SELECT 1").await.map_err(failed)?;
            }
            let due = account::Entity::find()
                .filter(account::Column::NextExpiry.lte(due_by))
                .filter(account::Column::Id.gt(last_id))
                .order_by_asc(account::Column::Id)
                .limit(SIDE_BY_SIDE)
                .all(self.database.read())
                .await
                .map_err(failed)?;
            let Some(last) = due.last() else {
                return Ok(touched);
            };
            last_id = last.id;
            let lapses = due.into_iter().map(|row| self.lapse(row, due_by));
            for lapsed in join_all(lapses).await {
                lapsed?;
                touched += 1;
            }
        }
    }

    async fn lapse(&self, row: account::Model, due_by: i64) -> Result<(), ApplyError> {
        let posting = Posting {
            account: AccountKey {
                owner: row.owner,
                asset: row.asset,
            },
            kind: PostingKind::Lapse { due_by },
            reason: Reason(0),
            idempotency: None,
            requires: None,
            reference: None,
            message: None,
            operator: None,
        };
        // Unlike a caller, this one waits for room.
        let lapsed = self.lanes.apply_in_time(Transaction::of(posting)).await;
        lapsed.map(|_| ())
    }
}
