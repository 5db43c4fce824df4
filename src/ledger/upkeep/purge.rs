//! Sweeping nonces whose time is over.

use entity::nonce;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::ledger::{ApplyError, Ledger};

/// About how many are swept in one transaction: few enough not to keep writes waiting.
const ROWS: u64 = 2000;

impl Ledger {
    /// Forgets the nonces that name a time before `before` (ms) and gives their number.
    ///
    /// # Errors
    /// Where the database fails; what was swept by then stays swept.
    pub async fn sweep(&self, before: i64) -> Result<u64, ApplyError> {
        let mut swept = 0;
        loop {
            let (rows, more) = self.sweep_some(before).await.map_err(|error| {
                log::error!("nonces could not be swept: {error}");
                ApplyError::Unavailable
            })?;
            swept += rows;
            if !more {
                return Ok(swept);
            }
        }
    }

    /// The oldest of them, and whether there are more.
    async fn sweep_some(&self, before: i64) -> Result<(u64, bool), DbErr> {
        let last = nonce::Entity::find()
            .filter(nonce::Column::At.lt(before))
            .order_by_asc(nonce::Column::At)
            .offset(ROWS)
            .limit(1)
            .one(self.database.read())
            .await?;
        let due = match &last {
            // All that name the same time go together.
            Some(last) => nonce::Column::At.lte(last.at),
            None => nonce::Column::At.lt(before),
        };
        let transaction = self.database.begin_write().await?;
        let done = nonce::Entity::delete_many()
            .filter(due)
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok((done.rows_affected, last.is_some()))
    }
}
