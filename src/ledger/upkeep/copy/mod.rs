//! Copying a whole ledger into another database, be it of another kind: all of it in one commit, or nothing of it.

mod table;

use std::fmt;

use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::database::backend::Backend;
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::database::lock::{Lock, lock};
use crate::ledger::database::{Database, file};
use crate::ledger::upkeep::audit::{self, AuditError, Report};
use table::{TABLES, Tally};

/// What was copied; it is the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// What the audit of either side went through.
    pub report: Report,
    /// Each table and its number of rows.
    pub tables: Vec<(&'static str, u64)>,
}

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that is copied.
    Source,
    /// The one that becomes the copy.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Side::Source => "the source",
            Side::Target => "the target",
        })
    }
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Both are one database.
    #[error("the source and the target are the same database")]
    Same,
    /// Whose rows these are nobody knows.
    #[error("the target is not empty: there are rows in its table {0}")]
    NotEmpty(&'static str),
    /// What an audit found.
    #[error("the books of {0} are off: {1}")]
    Broken(Side, AuditError),
    /// What arrived is not what was sent.
    #[error("the target would not be what the source is: its table {0} differs")]
    Differs(&'static str),
    /// What came to the source meanwhile would be lost.
    #[error(
        "the source was written to meanwhile, in its table {0}: stop what serves it and copy again"
    )]
    Moved(&'static str),
    /// A database failed.
    #[error("{0}: {1}")]
    Database(Side, DbErr),
}

/// A side, and the transaction in which it is read or written.
struct End {
    side: Side,
    db: GuardedTransaction,
}

impl End {
    /// A snapshot of the source.
    async fn source(database: &Database) -> Result<End, CopyError> {
        End::of(Side::Source, database.begin_snapshot().await).await
    }

    /// What becomes the target with its commit; until then no gateway on it makes an account.
    async fn target(database: &Database) -> Result<End, CopyError> {
        let end = End::of(Side::Target, database.begin_write().await).await?;
        end.got(lock(&end.db, Lock::Identities).await)?;
        Ok(end)
    }

    async fn of(side: Side, begun: Result<GuardedTransaction, DbErr>) -> Result<End, CopyError> {
        let db = begun.map_err(|error| CopyError::Database(side, error))?;
        let end = End { side, db };
        // Each side waits while the other one is audited.
        let Some(patient) = Backend::of(&end.db).allow_idling else {
            return Ok(end);
        };
        end.got(end.db.execute_unprepared(patient).await)?;
        Ok(end)
    }

    /// What this side answered, or that it failed.
    fn got<T>(&self, answer: Result<T, DbErr>) -> Result<T, CopyError> {
        answer.map_err(|error| CopyError::Database(self.side, error))
    }

    async fn audit(&self, progress: impl FnMut(u64, u64)) -> Result<Report, CopyError> {
        let audited = audit::check(&self.db, progress).await;
        audited.map_err(|error| match error {
            AuditError::Database(error) => CopyError::Database(self.side, error),
            broken => CopyError::Broken(self.side, broken),
        })
    }
}

/// The names of the tables that are copied.
pub fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name())
}

/// Copies the ledger at the URL `from` into the empty database at `to`, and tells `progress` what is done, how far it is
/// and how far there is to go.
///
/// # Errors
/// Where the target holds anything, the books are off, the source is written to meanwhile, or a database fails; the target
/// then is as empty as it was.
pub async fn copy(
    from: &str,
    to: &str,
    mut progress: impl FnMut(&'static str, u64, u64),
) -> Result<Copied, CopyError> {
    if is_same(from, to) {
        return Err(CopyError::Same);
    }
    let failed = |side| move |error| CopyError::Database(side, error);
    let source = Database::open(from, 1)
        .await
        .map_err(failed(Side::Source))?;
    let target = Database::open(to, 1).await.map_err(failed(Side::Target))?;
    let copied = between(&source, &target, &mut progress).await;
    for database in [source, target] {
        if let Err(error) = database.close().await {
            log::warn!("a database did not close: {error}");
        }
    }
    copied
}

/// A server may have several names; then the target is not empty.
fn is_same(from: &str, to: &str) -> bool {
    let real = |url| file(url).and_then(|file| file.canonicalize().ok());
    from == to || (real(from).is_some() && real(from) == real(to))
}

async fn between(
    source: &Database,
    target: &Database,
    progress: &mut impl FnMut(&'static str, u64, u64),
) -> Result<Copied, CopyError> {
    let from = End::source(source).await?;
    let into = End::target(target).await?;
    for table in TABLES {
        if table.count(&into).await? > 0 {
            return Err(CopyError::NotEmpty(table.name()));
        }
    }
    let report = from
        .audit(|done, all| progress("auditing the source", done, all))
        .await?;
    let mut all = 0;
    for table in TABLES {
        all += table.count(&from).await?;
    }
    let sent = read(&from, Some(&into), |done| progress("copying", done, all)).await?;
    into.audit(|done, all| progress("auditing the target", done, all))
        .await?;
    let arrived = read(&into, None, |done| {
        progress("reading the target again", done, all)
    });
    if let Some(table) = difference(&sent, &arrived.await?) {
        return Err(CopyError::Differs(table));
    }
    let now = End::source(source).await?;
    let now = read(&now, None, |done| {
        progress("reading the source again", done, all)
    });
    if let Some(table) = difference(&sent, &now.await?) {
        return Err(CopyError::Moved(table));
    }
    into.db
        .commit()
        .await
        .map_err(|error| CopyError::Database(Side::Target, error))?;
    let rows = sent.iter().map(|tally| tally.rows);
    Ok(Copied {
        report,
        tables: tables().zip(rows).collect(),
    })
}

/// Reads all tables, writes them `into` another database where one is given, and tells `seen` how many rows there were so
/// far.
async fn read(
    from: &End,
    into: Option<&End>,
    mut seen: impl FnMut(u64),
) -> Result<Vec<Tally>, CopyError> {
    let mut tallies = Vec::with_capacity(TABLES.len());
    let mut rows = 0;
    for table in TABLES {
        let mut seen = |more| {
            rows += more;
            seen(rows);
        };
        tallies.push(table.read(from, into, &mut seen).await?);
    }
    Ok(tallies)
}

/// The first table in which they differ.
fn difference(these: &[Tally], those: &[Tally]) -> Option<&'static str> {
    let pairs = these.iter().zip(those);
    let mut named = tables().zip(pairs);
    let found = named.find(|(_, (this, that))| this != that);
    found.map(|(name, _)| name)
}
