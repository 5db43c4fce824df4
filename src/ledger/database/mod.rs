//! Opening the database: settings that durability rests on are set here, not hoped for.

pub mod durability;
pub mod guarded;
pub mod lock;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
pub mod statements;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, IsolationLevel,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

use tokio::sync::Mutex as AsyncMutex;

use crate::ledger::database::guarded::{GuardedTransaction, WriteHealth};
use crate::ledger::write::retry::again;

/// Connections for readers. Few are enough, since waiting reads are gathered into one statement.
const READERS: u32 = 3;
/// Connections for the writes of others than the writers: what is known of members, sweeping.
const OTHERS: u32 = 2;
/// How long a statement waits for another process's write, and a reader for those before it.
const BUSY: Duration = Duration::from_secs(5);
/// How long a connection to a server is tried for: not so long that a request would end before it.
const CONNECT: Duration = Duration::from_secs(3);

/// What a probe writes: more than a lone write does, since a full disk often still takes a page.
const PROBE_BYTES: usize = 1 << 15;

/// How many pages the write-ahead log may hold (of 4 KiB: 64 MiB) before it is folded into the file. Many batches touch the
/// same pages, which are then written to the file once.
const CHECKPOINT_PAGES: &str = "16384";
/// Pages that a connection keeps in memory; as SQLite has it, a negative number of KiB.
const CACHE_KIB: &str = "-10240";

/// Names the lock under which one of several instances brings the schema up to date.
pub(super) const MIGRATING: i64 = 0x706f_696e_7467;
/// The same where such a lock is the server's and not the database's, and may have 64 letters.
pub(super) const MYSQL_MIGRATING: &str = "CONCAT('pointgate-', SHA1(DATABASE()))";
/// How long (s) an instance waits for another one that does: of a large ledger, it may copy a whole table.
const MIGRATES: u32 = 86_400;

/// The database, with one way in for writes and another for reads, which a write does not hold up.
#[derive(Clone, Debug, Default)]
pub struct Database {
    write: DatabaseConnection,
    read: DatabaseConnection,
    balances: DatabaseConnection,
    health: WriteHealth,
    probing: Arc<AsyncMutex<()>>,
}

impl Database {
    /// Opens `url` (`sqlite://FILE`, `postgres://…`, `mysql://…`) for so many writers, making SQLite's file and its folder where
    /// they are missing, and brings the schema up to date.
    ///
    /// # Errors
    /// Where it cannot be made, opened or migrated.
    pub async fn open(url: &str, writers: usize) -> Result<Database, DbErr> {
        if let Some(folder) = file(url).as_deref().and_then(Path::parent) {
            std::fs::create_dir_all(folder)
                .map_err(|e| DbErr::Custom(format!("cannot make {}: {e}", folder.display())))?;
        }
        let writers = match file(url) {
            Some(_) => 1,
            None => u32::try_from(writers).unwrap_or(1) + OTHERS,
        };
        let health = WriteHealth::default();
        let mut writing = by_index(options(url, writers, &health));
        let writer = health.clone();
        writing.map_sqlx_sqlite_pool_opts(move |options| writer.guard_sqlite_writer(options));
        let write = sea_orm::Database::connect(writing).await;
        let write = write.map_err(|error| discreet(url, error))?;
        let mut reading = options(url, READERS, &health);
        // Many may ask at once, and then wait for each other.
        reading.acquire_timeout(BUSY);
        let read = sea_orm::Database::connect(reading).await?;
        let balances = sea_orm::Database::connect(by_index(options(url, 1, &health))).await?;
        let database = Database {
            write,
            read,
            balances,
            health,
            probing: Arc::default(),
        };
        database.migrate(url).await?;
        for setting in durability::off(&database.read).await? {
            log::warn!("the database has {setting}: a crash of it may lose what was acknowledged");
        }
        Ok(database)
    }

    /// All changes or none, and one instance after the other where several start at once.
    async fn migrate(&self, url: &str) -> Result<(), DbErr> {
        if self.write.get_database_backend() == DbBackend::MySql {
            // There a change of the schema commits by itself, so a lock of the session keeps the others waiting.
            let db = sea_orm::Database::connect(options(url, 1, &self.health)).await?;
            let lock = format!("SELECT GET_LOCK({MYSQL_MIGRATING}, {MIGRATES})");
            let lock = Statement::from_string(DbBackend::MySql, lock);
            let locked = db.query_one_raw(lock).await?;
            let locked: Option<i64> = locked.and_then(|row| row.try_get_by_index(0).ok());
            let done = match locked {
                Some(1) => migration::up(&db).await,
                _ => Err(DbErr::Custom(
                    "another instance is still bringing the schema up to date".into(),
                )),
            };
            // The lock goes with its connection.
            db.close().await?;
            return done;
        }
        let transaction = self.begin_write().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            let lock = format!(
                "SET LOCAL lock_timeout = '{MIGRATES}s'; SELECT pg_advisory_xact_lock({MIGRATING}); \
                 SET LOCAL lock_timeout TO DEFAULT"
            );
            transaction.execute_unprepared(&lock).await?;
        }
        migration::up(&*transaction).await?;
        transaction.commit().await
    }

    /// The connections for reads.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// The connection for gathered balances: one, so that its pages and statements stay warm and no long read is in its
    /// way.
    pub fn balances(&self) -> &DatabaseConnection {
        &self.balances
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<(), DbErr> {
        again(|| self.read.ping()).await
    }

    /// Begins a transaction that writes. In SQLite it holds the write lock from its first statement on, so that what it
    /// reads stays true until it commits, also next to another process; elsewhere it locks the rows that it needs.
    ///
    /// # Errors
    /// Where the database does not answer or another process holds the lock for too long.
    pub async fn begin_write(&self) -> Result<GuardedTransaction, DbErr> {
        let backend = self.write.get_database_backend();
        let sqlite = backend == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let inner = again(|| self.write.begin_with_options(options)).await?;
        Ok(GuardedTransaction::new(inner, backend, self.health.clone()))
    }

    /// Whether the database takes writes: so it is while they succeed, and where the last one failed, if a probe can write now.
    /// One probe runs at a time; until it is through, the answer is no.
    pub async fn takes_writes(&self, now: i64) -> bool {
        if !self.health.is_failing() {
            return true;
        }
        let Ok(_one_at_a_time) = self.probing.try_lock() else {
            return false;
        };
        let probe = async {
            let transaction = self.begin_write().await?;
            let backend = transaction.get_database_backend();
            let filler = " ".repeat(PROBE_BYTES);
            let write =
                format!("UPDATE probe SET written_at = {now}, filler = '{filler}' WHERE id = 1");
            let write = Statement::from_string(backend, write);
            transaction.execute_raw(write).await?;
            transaction.commit().await
        };
        match probe.await {
            Ok(()) => true,
            Err(error) => {
                log::warn!("the database still takes no writes: {error}");
                false
            }
        }
    }

    /// Records a write that failed for a reason of the database's own, so that [`Database::takes_writes`] probes it.
    pub fn record_failed_write(&self) {
        self.health.record_failure();
    }

    /// Begins a transaction that reads all as it was at one moment.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn begin_snapshot(&self) -> Result<GuardedTransaction, DbErr> {
        let backend = self.read.get_database_backend();
        let sqlite = backend == DbBackend::Sqlite;
        let options = TransactionOptions {
            isolation_level: (!sqlite).then_some(IsolationLevel::RepeatableRead),
            ..Default::default()
        };
        let inner = again(|| self.read.begin_with_options(options)).await?;
        Ok(GuardedTransaction::new(inner, backend, self.health.clone()))
    }

    /// Closes all connections; SQLite's write-ahead log is folded into the file.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn close(self) -> Result<(), DbErr> {
        self.balances.close().await?;
        self.read.close().await?;
        self.write.close().await
    }
}

/// An error without the URL, which may hold a password: one that cannot be read is told in full.
fn discreet(url: &str, error: DbErr) -> DbErr {
    match error.to_string().contains(url) {
        true => DbErr::Custom("the URL of the database cannot be read".into()),
        false => error,
    }
}

/// How many writers a database profits from.
pub fn writers(url: &str) -> usize {
    match url.split(':').next() {
        Some("postgres") => 4,
        Some("mysql") => 2,
        _ => 1,
    }
}

/// The file of a `sqlite://` URL, which holds it percent-encoded.
pub fn file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://")?.split('?').next()?;
    Some(
        percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .ok()?
            .into_owned()
            .into(),
    )
}

fn options(url: &str, connections: u32, health: &WriteHealth) -> ConnectOptions {
    let mut options = ConnectOptions::new(with_tls(url));
    let guard = health.clone();
    let server = file(url).is_none();
    // No `min_connections`: where one of them is lost, the pool would try for minutes to open another, ever less often, and
    // nobody could have the place that this takes, not even when the server has long been back.
    options
        .max_connections(connections)
        // A connection that has been opened stays: its prepared statements are its worth.
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(if server { CONNECT } else { BUSY })
        // Whoever gets an old connection that has ended tries again.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(sqlite)
        .map_sqlx_sqlite_pool_opts(move |options| guard.guard(options));
    #[cfg(feature = "postgres")]
    postgres::prepare(&mut options, health);
    #[cfg(feature = "mysql")]
    mysql::prepare(&mut options, health);
    options
}

/// Without a word about TLS in it, a URL of this very machine does without, and others take it where the server has it.
fn with_tls(url: &str) -> String {
    let Some((_, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let is_host = |host| {
        let rest = place.strip_prefix(host);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    };
    let here = ["127.0.0.1", "localhost", "[::1]"].into_iter().any(is_host);
    if file(url).is_some() || !here || query.contains("ssl") {
        return url.to_owned();
    }
    let mode = match url.starts_with("mysql") {
        true => "ssl-mode=DISABLED",
        false => "sslmode=disable",
    };
    let joint = if query.is_empty() { '?' } else { '&' };
    format!("{}{joint}{mode}", url.trim_end_matches('?'))
}

fn sqlite(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("cache_size", CACHE_KIB)
        // What one statement may have to take back is kept in memory instead of a file.
        .pragma("temp_store", "MEMORY")
}

/// Keeps PostgreSQL from plans that read a whole table; other databases have no such setting.
#[cfg_attr(not(feature = "postgres"), expect(unused_mut))]
fn by_index(mut options: ConnectOptions) -> ConnectOptions {
    #[cfg(feature = "postgres")]
    postgres::avoid_whole_tables(&mut options);
    options
}
