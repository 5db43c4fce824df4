//! Which failures are worth another try: a lost race, or a lost connection.

use std::future::Future;
use std::time::{Duration, Instant};

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use tokio::time::sleep;

use super::backend::{BACKENDS, Backend};

/// How long an operation is retried that loses its connections: its caller still waits by then.
pub const LOST: Duration = Duration::from_secs(5);
/// The pause before a retry on another connection.
const PAUSE: Duration = Duration::from_millis(10);

/// How often a transaction is tried that loses its races against other instances.
pub const TRIES: usize = 8;
/// How long it is tried: a lost race may have been a wait for a lock, which holds up all transactions of its batch.
pub const RACING: Duration = Duration::from_secs(8);

/// The error of a transaction under whose new account a name was meanwhile linked to another owner.
pub const RENAMED: &str = "a name was linked to another owner meanwhile";

/// The error of a transaction under whose new account an owner was meanwhile frozen.
pub const FROZEN: &str = "an owner was frozen meanwhile";

/// Whether a transaction failed because another one was first, so that nothing of it has happened and another try may succeed:
/// a unique key that is taken by now, a deadlock, a lock timeout.
pub fn lost_race(error: &DbErr) -> bool {
    if matches!(error, DbErr::Custom(text) if text == RENAMED || text == FROZEN) {
        return true;
    }
    if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
        return true;
    }
    let raced = |error| BACKENDS.iter().any(|one| (one.is_lost_race)(error));
    database_error(error).is_some_and(raced)
}

/// Whether an operation failed because its connection has ended, so that another connection may do. The operation has not
/// happened, unless it was a commit: nothing is known of that.
pub fn lost_connection(error: &DbErr) -> bool {
    let ended = |error| BACKENDS.iter().any(|one| (one.is_lost_connection)(error));
    matches!(driver_error(error), Some(sqlx::Error::Io(_)))
        || database_error(error).is_some_and(ended)
}

/// The error that the server or SQLite answered, if it is one.
pub(super) fn database_error(error: &DbErr) -> Option<&dyn DatabaseError> {
    match driver_error(error)? {
        sqlx::Error::Database(error) => Some(&**error),
        _ => None,
    }
}

fn driver_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Opens a database, and again for as long as [`LOST`] while another program opens it: SQLite does not wait for the lock under which
/// a new file gets its journal.
///
/// # Errors
/// Returns the last error.
pub async fn while_locked<T, F>(backend: &Backend, open: impl Fn() -> F) -> Result<T, DbErr>
where
    F: Future<Output = Result<T, DbErr>>,
{
    let begun = Instant::now();
    loop {
        let done = open().await;
        let error = done.as_ref().err().and_then(database_error);
        if !error.is_some_and(backend.is_locked) || begun.elapsed() > LOST {
            return done;
        }
        sleep(PAUSE).await;
    }
}

/// Runs an operation that changes nothing, and again for as long as [`LOST`] if it loses its connection: an idle connection may
/// have ended unnoticed.
///
/// # Errors
/// Returns the operation's last error.
pub(super) async fn again<T, F>(operation: impl Fn() -> F) -> Result<T, DbErr>
where
    F: Future<Output = Result<T, DbErr>>,
{
    let begun = Instant::now();
    loop {
        match operation().await {
            Err(error) if lost_connection(&error) && begun.elapsed() < LOST => {
                log::debug!("a connection was lost, trying again: {error}");
                // The server may not take a new connection yet.
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}
