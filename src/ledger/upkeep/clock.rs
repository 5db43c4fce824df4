//! The clock of the ledger: compared with what the database tells, noted there, and confirmed by an operator.

use std::time::Duration;

use sea_orm::DbErr;

use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::database::clock::{self, Sighting};
use crate::ledger::upkeep::journal;
use crate::ledger::{Ledger, ReadError};

impl Ledger {
    /// Bounds how far the clock may be away from the expected time, and compares it for the first time.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails. A clock that is not trusted is no error: [`Ledger::clock_gap`] tells of it.
    pub async fn guard_clock(&self, bound: Duration) -> Result<(), ReadError> {
        self.clock_guard.set_bound(bound);
        self.compare_clock().await
    }

    /// Compares the clock with what the database tells, and notes its time there if it is trusted.
    ///
    /// # Errors
    /// As [`Ledger::guard_clock`].
    pub async fn compare_clock(&self) -> Result<(), ReadError> {
        Ok(self.try_compare().await?)
    }

    async fn try_compare(&self) -> Result<(), DbErr> {
        let transaction = self.database.begin_write().await?;
        let seen = clock::read(&*transaction).await?;
        let now = self.clock.now();
        if self.clock_guard.settle(now, seen).is_ok() {
            clock::note(&transaction, now).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Compares the clock as [`Ledger::guard_clock`] does, and notes nothing. Returns its time (ms), and what the database tells.
    ///
    /// # Errors
    /// As [`Ledger::guard_clock`].
    pub async fn inspect_clock(&self, bound: Duration) -> Result<(i64, Sighting), ReadError> {
        let seen = self.database.again(|| clock::read(self.database.read()));
        let (seen, now) = (seen.await?, self.clock.now());
        self.clock_guard.set_bound(bound);
        // `clock_gap` tells of it.
        let _ = self.clock_guard.settle(now, seen);
        Ok((now, seen))
    }

    /// Takes the clock as right, whatever the ledger has seen, and says so in the journal. Servers that run follow within a minute.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn confirm_clock(&self, operator: Operator) -> Result<(), ReadError> {
        Ok(self.try_confirm(operator).await?)
    }

    async fn try_confirm(&self, operator: Operator) -> Result<(), DbErr> {
        let transaction = self.database.begin_write().await?;
        let Sighting { seen_at, .. } = clock::read(&*transaction).await?;
        let now = self.clock.now();
        let confirmed = JournalEvent::ClockConfirmed {
            now,
            seen_at,
            database_ahead: clock::confirm(&*transaction, now).await?,
        };
        journal::append(&transaction, &confirmed, now, operator).await?;
        transaction.commit().await
    }
}
