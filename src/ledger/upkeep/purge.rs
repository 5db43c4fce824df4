//! Purging nonces, daily-limit slots and allowances that are over, and old records of messages.

use entity::{credit_allowance, daily_limit_slot, message, nonce};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, ModelTrait, QueryFilter, QueryOrder, QuerySelect, Value,
};

use crate::ledger::book::tally::{Tallied, Tally};
use crate::ledger::database::statements::{self, ADD_TO_TALLIES};
use crate::ledger::{ApplyError, Ledger};

/// The name and the tally of rows; `None` for a table without a tally.
type TallyOf<E> = Option<fn(&[<E as EntityTrait>::Model]) -> (&'static str, Tally)>;

fn tally_of<R: Tallied>(rows: &[R]) -> (&'static str, Tally) {
    (R::TABLE, Tally::of(rows))
}

/// The part of a tally that purging takes from, beyond those of the writers.
const SHARD: i64 = -1;

/// About how many rows one transaction deletes, so that writers do not wait for long.
const ROWS: u64 = 2000;

impl Ledger {
    /// Removes the nonces that carry a time before `before` (ms). Returns their number.
    ///
    /// # Errors
    /// Returns [`ApplyError::Unavailable`] if the clock is not trusted or the database fails; what was removed by then stays removed.
    pub async fn purge_nonces(&self, before: i64) -> Result<u64, ApplyError> {
        let at = nonce::Column::At;
        self.purge_table::<nonce::Entity>(at, before, Some(tally_of))
            .await
    }

    /// Removes the daily-limit slots and allowances that expired before `before` (ms). Returns the number of rows.
    ///
    /// # Errors
    /// As [`Ledger::purge_nonces`].
    pub async fn purge_limits(&self, before: i64) -> Result<u64, ApplyError> {
        let expires_at = daily_limit_slot::Column::ExpiresAt;
        let tally = Some(tally_of as fn(&[_]) -> _);
        let slots = self.purge_table::<daily_limit_slot::Entity>(expires_at, before, tally);
        let expires_at = credit_allowance::Column::ExpiresAt;
        let allowances = self.purge_table::<credit_allowance::Entity>(expires_at, before, None);
        Ok(slots.await? + allowances.await?)
    }

    /// Removes the records of messages that changed a member before `before` (ms). Returns their number. A message that is delivered again
    /// after that changes the member again.
    ///
    /// # Errors
    /// As [`Ledger::purge_nonces`].
    pub async fn purge_messages(&self, before: i64) -> Result<u64, ApplyError> {
        let at = message::Column::At;
        self.purge_table::<message::Entity>(at, before, None).await
    }

    async fn purge_table<E: EntityTrait>(
        &self,
        time: E::Column,
        before: i64,
        tally: TallyOf<E>,
    ) -> Result<u64, ApplyError> {
        self.trusted_now()?;
        let mut purged = 0;
        loop {
            let chunk = self.purge_chunk::<E>(time, before, tally).await;
            let (rows, more) = chunk.map_err(|error| {
                log::error!(
                    "cannot purge the table {}: {error}",
                    E::default().table_name()
                );
                ApplyError::Unavailable
            })?;
            purged += rows;
            if !more {
                return Ok(purged);
            }
        }
    }

    /// Removes the oldest rows. Returns their number, and whether more are due.
    async fn purge_chunk<E: EntityTrait>(
        &self,
        time: E::Column,
        before: i64,
        tally: TallyOf<E>,
    ) -> Result<(u64, bool), DbErr> {
        let last = E::find()
            .filter(time.lt(before))
            .order_by_asc(time)
            .offset(ROWS)
            .limit(1)
            .one(self.database.read())
            .await?;
        let due = match &last {
            // Rows of the same time go together.
            Some(last) => time.lte::<Value>(last.get(time)),
            None => time.lt(before),
        };
        let transaction = self.database.begin_write().await?;
        let rows = match tally {
            Some(_) => E::find().filter(due.clone()).all(&*transaction).await?,
            None => Vec::new(),
        };
        let done = E::delete_many().filter(due).exec(&transaction).await?;
        if let Some(tally) = tally {
            if rows.len() as u64 != done.rows_affected {
                let why = "rows of a past time came meanwhile; the next purge takes them";
                return Err(DbErr::Custom(why.into()));
            }
            let (name, Tally { rows, checksum }) = tally(&rows);
            let less = [(name, SHARD, -rows, -checksum)];
            statements::execute(&*transaction, &ADD_TO_TALLIES, &less).await?;
        }
        transaction.commit().await?;
        Ok((done.rows_affected, last.is_some()))
    }
}
