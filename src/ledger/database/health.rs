//! The health of the connections that write: whether their writes succeed, and which of them must not be used again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::pool::{PoolConnectionMetadata, PoolOptions};
use sea_orm::sqlx::{Connection, Database, Sqlite};

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

    /// Records a commit.
    pub(super) fn record_success(&self) {
        self.0.failing.store(false, Ordering::Relaxed);
    }

    /// Retires every connection that is open now: one of them is in a state that nobody knows.
    pub(super) fn retire_connections(&self) {
        *self.failed_at() = Some(Instant::now());
    }

    fn failed_at(&self) -> MutexGuard<'_, Option<Instant>> {
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

    /// The number of commits that SQLite has reported.
    pub(super) fn commits(&self) -> u64 {
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
