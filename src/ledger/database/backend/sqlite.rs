//! SQLite, the embedded default: one file, one writer at a time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, DbBackend, SqliteTransactionMode, TransactionOptions};

use super::{Backend, LOCK_TIMEOUT, Role, RowEncoding, SchemaLock, Syntax};
use crate::ledger::database::health::WriteHealth;
use crate::ledger::database::statements::set_statement::{
    ColumnType, Kind, SetStatement, standard_change, with_hex,
};

/// How many pages (4 KiB each: 64 MiB) the write-ahead log may hold before SQLite folds it into the file. Many batches touch
/// the same pages, each of which is then written to the file once.
const CHECKPOINT_PAGES: &str = "16384";
/// The page cache of a connection: SQLite reads a negative number as KiB.
const CACHE: &str = "-10240";

pub(super) static BACKEND: Backend = Backend {
    database: DbBackend::Sqlite,
    index: 0,
    schemes: &["sqlite"],
    file,
    without_tls: None,
    acquire_timeout: Duration::from_secs(5),
    prepare,
    writers: 1,
    lock: None,
    begin_write: TransactionOptions {
        isolation_level: None,
        access_mode: None,
        // The write lock from the first statement on, so that what the transaction reads stays true until it commits.
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    },
    // A deferred transaction reads a snapshot.
    begin_snapshot: TransactionOptions {
        isolation_level: None,
        access_mode: None,
        sqlite_transaction_mode: None,
    },
    reports_commits: true,
    // The write lock of the transaction is the lock.
    schema_lock: SchemaLock::Transaction(""),
    is_lost_race: |_| false,
    is_lost_connection: |_| false,
    // SQLITE_BUSY.
    is_locked: |error| error.code().as_deref() == Some("5"),
    unsafe_settings: None,
    now: "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    has_own_clock: false,
    allow_idling: None,
    after_copy: |_, _| Vec::new(),
    syntax: Syntax {
        render,
        parameters: RowEncoding::Json,
        answers_in_one: true,
        upsert_affects: 1..=1,
        update_affects: 1,
        message: None,
    },
};

/// The file of a URL, which holds its path percent-encoded.
fn file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://")?.split('?').next()?;
    let path = percent_encoding::percent_decode_str(path).decode_utf8();
    Some(path.ok()?.into_owned().into())
}

fn prepare(options: &mut ConnectOptions, health: &WriteHealth, role: Role) {
    let health = health.clone();
    options
        .map_sqlx_sqlite_opts(match role {
            Role::Write | Role::Read | Role::Balances => session,
            Role::ReadOnly => session_read_only,
        })
        .map_sqlx_sqlite_pool_opts(move |options| match role {
            Role::Write => health.guard_sqlite_writer(options),
            Role::Read | Role::Balances | Role::ReadOnly => health.guard(options),
        });
}

/// Even a reader makes the `-wal` and `-shm` that a clean stop has removed. Where it may not, or would give them the mode of a file that
/// nobody may write, SQLite reads the file alone: without them, everything is in it and nobody is writing.
fn session_read_only(options: SqliteConnectOptions) -> SqliteConnectOptions {
    let file = options.get_filename().to_owned();
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let is_writable = |path: &Path| access(path, Access::WRITE_OK).is_ok();
    let may_write = is_writable(folder.unwrap_or(Path::new("."))) && is_writable(&file);
    options
        .read_only(true)
        .immutable(!may_write && !Path::new(&log).exists())
        .busy_timeout(LOCK_TIMEOUT)
        .pragma("cache_size", CACHE)
        .pragma("temp_store", "MEMORY")
}

fn session(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(LOCK_TIMEOUT)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("cache_size", CACHE)
        // Keeps the journal of a single statement in memory instead of a file.
        .pragma("temp_store", "MEMORY")
}

fn render(statement: &SetStatement) -> String {
    let scalar = statement.is_scalar();
    let columns = statement.list(|at, column| {
        let value = match scalar {
            true => "value".to_owned(),
            false => format!("value->>{at}"),
        };
        let name = column.name;
        match column.kind {
            ColumnType::Int | ColumnType::Text => format!("{value} AS {name}"),
            ColumnType::Bytes => format!("unhex({value}) AS {name}"),
        }
    });
    let text = match &statement.kind {
        Kind::Query { answer, from, .. } => {
            format!("SELECT json_group_array(json_array({answer})) {from}")
        }
        change => standard_change(statement, change),
    };
    let text = text.replace("{k}", "k");
    let text = text.replace("{text2}", "?2").replace("{int3}", "?3");
    // With the rows as the outer loop, SQLite looks each of them up in an index.
    // Of NULL, SQLite makes an empty text.
    let text = with_hex(&text, |bytes| format!("nullif(hex({bytes}), '')"))
        .replace("{join}", "CROSS JOIN");
    // json_each builds an array anew for each look at it, unless it is materialized.
    let materialized = if scalar { "" } else { "MATERIALIZED" };
    format!(
        "WITH r(place, value) AS {materialized} (SELECT key, value FROM json_each(?1)), \
         k AS (SELECT place, {columns} FROM r) {text}"
    )
}
