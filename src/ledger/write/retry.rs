//! What was lost, a race or a connection, and may be tried again.

use std::future::Future;
use std::time::{Duration, Instant};

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use tokio::time::sleep;

/// How long something is tried again that loses its connections: a caller still waits by then.
pub const LOST: Duration = Duration::from_secs(5);
/// How long it rests before that.
const PAUSE: Duration = Duration::from_millis(10);

/// How often a transaction is tried where other instances get in its way.
pub const TRIES: usize = 8;

/// What is told where a name was joined with another while an account under it was being made.
pub const RENAMED: &str = "a name leads elsewhere by now";

/// Whether a transaction failed because another instance was there first, so that nothing of it has happened and it is worth
/// another try: a unique key that is taken by now, a deadlock, a lock that was waited for too long.
pub fn lost_race(error: &DbErr) -> bool {
    if matches!(error, DbErr::Custom(text) if text == RENAMED) {
        return true;
    }
    if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
        return true;
    }
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    let Some(error) = error.as_database_error() else {
        return false;
    };
    // PostgreSQL's serialization failure, deadlock and lock timeout; MySQL says 40001 for a deadlock.
    let code = error.code();
    matches!(code.as_deref(), Some("40001" | "40P01" | "55P03"))
        || error.message().contains("Lock wait timeout exceeded")
}

/// Whether something failed because its connection has ended, so that another connection may do. What the connection was at
/// has not happened, except where that was a commit: of that nothing is known.
pub fn lost_connection(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    match &**error {
        sqlx::Error::Io(_) => true,
        // A server that stops or has crashed, PostgreSQL's idle transaction, a broken connection, MariaDB's KILL.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            matches!(&*code, "57P01" | "57P02" | "57P03" | "25P03" | "70100")
                || code.starts_with("08")
        }),
        _ => false,
    }
}

/// Does what changes nothing, and again where it was given an old connection whose end nobody had noticed, or lost its own.
///
/// # Errors
/// As `what` does, at last.
pub async fn again<T, F>(what: impl Fn() -> F) -> Result<T, DbErr>
where
    F: Future<Output = Result<T, DbErr>>,
{
    let begun = Instant::now();
    loop {
        match what().await {
            Err(error) if lost_connection(&error) && begun.elapsed() < LOST => {
                log::debug!("a connection was lost, trying again: {error}");
                // There may be no other one to be had either.
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}
