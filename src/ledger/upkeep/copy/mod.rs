//! Copies a whole ledger into another database, which may be of another kind: all of it in one commit, or nothing.

mod table;

use std::fmt;

use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::database::backend::Backend;
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::database::lock::{Lock, lock};
use crate::ledger::database::{Database, file};
use crate::ledger::upkeep::audit::{self, AuditError, Report};
use table::{Checksum, TABLES};

/// What was copied. It is the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// What the audit of either side covered.
    pub report: Report,
    /// The name and the number of rows of each table.
    pub tables: Vec<(&'static str, u64)>,
}

/// One of the two databases of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The database that is copied.
    Source,
    /// The database that becomes the copy.
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
    /// Both URLs lead to one database.
    #[error("the source and the target are the same database")]
    Same,
    /// The target has rows, of this table first.
    #[error("the target is not empty: there are rows in its table {0}")]
    NotEmpty(&'static str),
    /// The audit of one side failed.
    #[error("the audit of {0} failed: {1}")]
    Broken(Side, AuditError),
    /// The rows that arrived differ from those that were sent.
    #[error("the copy differs from the source in the table {0}")]
    Differs(&'static str),
    /// The source was written to during the copy.
    #[error(
        "the source changed during the copy, in its table {0}: stop what serves it and copy again"
    )]
    Changed(&'static str),
    /// A database failed.
    #[error("{0}: {1}")]
    Database(Side, DbErr),
}

/// A database of the copy, with the transaction that reads or writes it.
struct CopySide {
    side: Side,
    db: GuardedTransaction,
}

impl CopySide {
    /// A snapshot of the source.
    async fn source(database: &Database) -> Result<CopySide, CopyError> {
        CopySide::of(Side::Source, database.begin_snapshot().await).await
    }

    /// A transaction that writes the target. Until it ends, no gateway on the target adds an account.
    async fn target(database: &Database) -> Result<CopySide, CopyError> {
        let copy_side = CopySide::of(Side::Target, database.begin_write().await).await?;
        copy_side.side(lock(&copy_side.db, Lock::Identities).await)?;
        Ok(copy_side)
    }

    async fn of(
        side: Side,
        begun: Result<GuardedTransaction, DbErr>,
    ) -> Result<CopySide, CopyError> {
        let db = begun.map_err(|error| CopyError::Database(side, error))?;
        let copy_side = CopySide { side, db };
        // Each side waits while the other one is audited.
        let Some(allow_idling) = Backend::of(&copy_side.db).allow_idling else {
            return Ok(copy_side);
        };
        copy_side.side(copy_side.db.execute_unprepared(allow_idling).await)?;
        Ok(copy_side)
    }

    /// Adds this side to an error.
    fn side<T>(&self, result: Result<T, DbErr>) -> Result<T, CopyError> {
        result.map_err(|error| CopyError::Database(self.side, error))
    }

    async fn audit(&self, progress: impl FnMut(u64, u64)) -> Result<Report, CopyError> {
        let audited = audit::check(&self.db, progress).await;
        audited.map_err(|error| match error {
            AuditError::Database(error) => CopyError::Database(self.side, error),
            broken => CopyError::Broken(self.side, broken),
        })
    }
}

/// The names of the tables that a copy covers.
pub fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name())
}

/// Copies the ledger at the URL `from`, which it only reads, into the empty database at `to`. Calls `progress` with the step, the rows or entries done,
/// and those in all.
///
/// # Errors
/// Returns [`CopyError`] if the target has rows, an audit fails, the source changes during the copy, or a database fails. The
/// target then stays empty.
pub async fn copy(
    from: &str,
    to: &str,
    mut progress: impl FnMut(&'static str, u64, u64),
) -> Result<Copied, CopyError> {
    if is_same(from, to) {
        return Err(CopyError::Same);
    }
    let failed = |side| move |error| CopyError::Database(side, error);
    let source = Database::open_read_only(from)
        .await
        .map_err(failed(Side::Source))?;
    let target = Database::open(to, 1).await.map_err(failed(Side::Target))?;
    let copied = copy_between(&source, &target, &mut progress).await;
    for database in [source, target] {
        if let Err(error) = database.close().await {
            log::warn!("cannot close a database: {error}");
        }
    }
    copied
}

/// Whether two URLs lead to one database. One server under two names gets past this, but then the target is not empty.
fn is_same(from: &str, to: &str) -> bool {
    let real = |url| file(url).and_then(|file| file.canonicalize().ok());
    from == to || (real(from).is_some() && real(from) == real(to))
}

async fn copy_between(
    source: &Database,
    target: &Database,
    progress: &mut impl FnMut(&'static str, u64, u64),
) -> Result<Copied, CopyError> {
    let from = CopySide::source(source).await?;
    let into = CopySide::target(target).await?;
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
    let now = CopySide::source(source).await?;
    let now = read(&now, None, |done| {
        progress("reading the source again", done, all)
    });
    if let Some(table) = difference(&sent, &now.await?) {
        return Err(CopyError::Changed(table));
    }
    into.db
        .commit()
        .await
        .map_err(|error| CopyError::Database(Side::Target, error))?;
    let rows = sent.iter().map(|checksum| checksum.rows);
    Ok(Copied {
        report,
        tables: tables().zip(rows).collect(),
    })
}

/// Reads all tables, and writes them `into` the other database if one is given. Calls `seen` with the rows read so far.
async fn read(
    from: &CopySide,
    into: Option<&CopySide>,
    mut seen: impl FnMut(u64),
) -> Result<Vec<Checksum>, CopyError> {
    let mut checksums = Vec::with_capacity(TABLES.len());
    let mut rows = 0;
    for table in TABLES {
        let mut seen = |more| {
            rows += more;
            seen(rows);
        };
        checksums.push(table.read(from, into, &mut seen).await?);
    }
    Ok(checksums)
}

/// The first table whose checksums differ.
fn difference(these: &[Checksum], those: &[Checksum]) -> Option<&'static str> {
    let pairs = these.iter().zip(those);
    let mut named = tables().zip(pairs);
    let found = named.find(|(_, (this, that))| this != that);
    found.map(|(name, _)| name)
}
