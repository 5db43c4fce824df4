//! A lease: one instance at a time does a work that lasts longer than a transaction may stay open. The database's clock ends it, so
//! that the lease of an instance that crashed is free again, whatever the clocks of the instances say.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::time::sleep;

use crate::ledger::database::Database;
use crate::ledger::database::retry::lost_race;

/// The run that expires what is due.
pub const EXPIRY: &str = "expiry";

/// How long a lease lasts unless it is renewed.
const TERM: Duration = Duration::from_secs(30);
/// The pause between two looks at a lease that another instance has.
const PAUSE: Duration = Duration::from_millis(200);

/// The right to do a work, for as long as its holder renews it. It only spares instances the work of each other: one that stands still
/// until its lease is over may go on beside the next.
pub struct Lease<'d> {
    database: &'d Database,
    name: &'static str,
    holder: String,
}

impl<'d> Lease<'d> {
    /// The lease of this name, which nobody has yet through this value.
    pub fn new(database: &'d Database, name: &'static str) -> Lease<'d> {
        let random = || RandomState::new().hash_one(());
        Lease {
            database,
            name,
            holder: format!("{:016x}{:016x}", random(), random()),
        }
    }

    /// Takes the lease or renews it, if no other holder has it. Returns whether this one has it now.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn take(&self) -> Result<bool, DbErr> {
        let (name, holder, term) = (self.name, &self.holder, TERM.as_millis());
        let now = self.database.backend().now;
        // A lease that ends later than a new one would is of a clock that has been set back since.
        let taken = format!(
            "UPDATE lease SET holder = '{holder}', ends_at = {now} + {term} WHERE name = '{name}' \
             AND (holder = '{holder}' OR ends_at <= {now} OR ends_at > {now} + {term})"
        );
        self.update(taken).await
    }

    /// Takes the lease or renews it, and waits for as long as another holder renews it.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn hold(&self) -> Result<(), DbErr> {
        while !self.take().await? {
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Gives the lease back, if this holder has it.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer; the lease then ends by itself.
    pub async fn release(self) -> Result<(), DbErr> {
        let (name, holder) = (self.name, &self.holder);
        let released = format!(
            "UPDATE lease SET holder = '', ends_at = 0 WHERE name = '{name}' AND holder = '{holder}'"
        );
        self.update(released).await.map(|_| ())
    }

    /// Whether an update met the lease.
    async fn update(&self, sql: String) -> Result<bool, DbErr> {
        let transaction = self.database.begin_write().await?;
        let update = Statement::from_string(self.database.backend().database, sql);
        let updated = match transaction.execute_raw(update).await {
            Ok(updated) => updated.rows_affected() > 0,
            Err(error) if lost_race(&error) => {
                transaction.rollback().await?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        transaction.commit().await?;
        Ok(updated)
    }
}
