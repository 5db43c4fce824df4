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
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::sqlx::pool::PoolConnectionMetadata;
use sea_orm::sqlx::{Connection, Database, Sqlite, pool::PoolOptions};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};

use super::backend::Backend;

/// What the connections that write share: whether their writes succeed. Clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct WriteHealth(Arc<State>);

#[derive(Debug, Default)]
struct State {
    commits: AtomicU64,
    failing: AtomicBool,
    failed_at: Mutex<Option<Instant>>,
}

impl WriteHealth {
    /// Whether the last write failed.
    pub fn is_failing(&self) -> bool {
        self.0.failing.load(Ordering::Relaxed)
    }

    /// Records a write that failed for a reason of the database's own.
    pub fn record_failure(&self) {
        self.0.failing.store(true, Ordering::Relaxed);
    }

    fn record_success(&self) {
        self.0.failing.store(false, Ordering::Relaxed);
    }

    /// Retires every connection that is open now: one of them is in a state that nobody knows.
    fn retire_connections(&self) {
        *self.failed_at() = Some(Instant::now());
    }

    fn failed_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        let failed_at = self.0.failed_at.lock();
        failed_at.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pool may hand out an idle connection of this age.
    fn may_reuse(&self, age: Duration) -> bool {
        self.failed_at().is_none_or(|at| age < at.elapsed())
    }

    fn count_commit(&self) {
        self.0.commits.fetch_add(1, Ordering::SeqCst);
    }

    fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::SeqCst)
    }

    /// Closes idle connections that must not be used again, instead of handing them out.
    pub fn guard<DB: Database>(&self, options: PoolOptions<DB>) -> PoolOptions<DB> {
        let health = self.clone();
        options.before_acquire(move |connection, metadata: PoolConnectionMetadata| {
            let good = !connection.is_in_transaction() && health.may_reuse(metadata.age);
            Box::pin(async move { Ok(good) })
        })
    }

    /// The same for SQLite's writing connection, whose commits SQLite itself reports.
    pub fn guard_sqlite_writer(&self, options: PoolOptions<Sqlite>) -> PoolOptions<Sqlite> {
        let health = self.clone();
        self.guard(options).after_connect(move |connection, _| {
            let health = health.clone();
            Box::pin(async move {
                connection.lock_handle().await?.set_commit_hook(move || {
                    health.count_commit();
                    true
                });
                Ok(())
            })
        })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_commit_retires_older_connections_only() {
        let health = WriteHealth::default();
        assert!(health.may_reuse(Duration::from_secs(3600)));
        health.retire_connections();
        assert!(!health.may_reuse(Duration::from_secs(3600)));
        std::thread::sleep(Duration::from_millis(2));
        assert!(health.may_reuse(Duration::from_nanos(1)));
    }
}
