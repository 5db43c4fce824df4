//! A transaction that proves its commit, and pools that never reuse a connection whose commit or rollback failed.
//!
//! SQLite rolls a transaction back by itself where COMMIT meets a full disk or an I/O error. The driver's own ROLLBACK then fails
//! and leaves the driver believing that a transaction is open: its next "begin" is a savepoint inside a transaction that nobody
//! commits, and every write from then on is acknowledged and lost. Three checks, none of which costs a round trip, rule out
//! this kind of failure on every database:
//!
//! 1. A pool hands out a connection only if the driver counts no open transaction on it, and if no commit or rollback failed
//!    since it was opened (`WriteHealth::may_reuse`). The driver verifies after each BEGIN that the session is in a transaction.
//! 2. In SQLite the library itself reports each commit (`WriteHealth::count_commit`); a COMMIT that the driver calls successful and
//!    that SQLite did not report is an error. A server ends a transaction only by a statement or with its session.
//! 3. `/readyz` reports a database whose last write failed until a probe has written to it.

use std::ops::Deref;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};

use super::backend::Backend;
use super::health::WriteHealth;

/// A transaction of a guarded pool; dropped without [`GuardedTransaction::commit`], it is rolled back.
pub struct GuardedTransaction {
    inner: DatabaseTransaction,
    backend: &'static Backend,
    commits_before: u64,
    health: WriteHealth,
}

impl GuardedTransaction {
    /// Wraps a transaction that has just begun.
    pub fn new(inner: DatabaseTransaction, backend: &'static Backend, health: WriteHealth) -> Self {
        GuardedTransaction {
            inner,
            backend,
            commits_before: health.commits(),
            health,
        }
    }

    /// Commits; when this succeeds, the changes are as durable as the database's settings make them.
    ///
    /// # Errors
    /// Returns the database's error, after which nothing is known of the commit, or an error of our own if SQLite did not carry
    /// out a commit that the driver calls successful. The connection is not used again in either case.
    pub async fn commit(self) -> Result<(), DbErr> {
        let GuardedTransaction {
            inner,
            backend,
            commits_before,
            health,
        } = self;
        let mut committed = inner.commit().await;
        // SQLite has one writing connection, so no other commit can stand in for this one.
        if committed.is_ok() && backend.reports_commits && health.commits() == commits_before {
            committed = Err(DbErr::Custom("SQLite did not carry out a COMMIT".into()));
        }
        match &committed {
            Ok(()) => health.record_success(),
            Err(_) => {
                health.record_failure();
                health.retire_connections();
            }
        }
        committed
    }

    /// Rolls back.
    ///
    /// # Errors
    /// Returns the database's error; the connection is then not used again.
    pub async fn rollback(self) -> Result<(), DbErr> {
        let rolled_back = self.inner.rollback().await;
        if rolled_back.is_err() {
            self.health.retire_connections();
        }
        rolled_back
    }
}

#[async_trait]
impl ConnectionTrait for GuardedTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend.database
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}

impl Deref for GuardedTransaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}
