//! Opening the database: settings that durability rests on are set here, not hoped for.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::mysql::MySqlConnectOptions;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Executor, MySql, pool::PoolOptions};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, IsolationLevel, RuntimeErr, SqlErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use tokio::time::sleep;

/// Connections for readers. Few are enough, since waiting reads are gathered into one statement.
const READERS: u32 = 3;
/// Connections for writes to a database in which several can write at once.
const WRITERS: u32 = 4;
/// How long a statement waits for another process's write, and a reader for those before it.
const BUSY: Duration = Duration::from_secs(5);
/// How long a connection to a server is tried for: not so long that a request would end before it.
const CONNECT: Duration = Duration::from_secs(3);

/// How long something is tried again that loses its connections: a caller still waits by then.
pub const LOST: Duration = Duration::from_secs(5);
/// How long it rests before that.
const PAUSE: Duration = Duration::from_millis(10);

/// How many pages the write-ahead log may hold (of 4 KiB: 64 MiB) before it is folded into the file. Many batches touch the
/// same pages, which are then written to the file once.
const CHECKPOINT_PAGES: &str = "16384";
/// Pages that a connection keeps in memory; as SQLite has it, a negative number of KiB.
const CACHE_KIB: &str = "-10240";

/// Names the lock under which one of several instances brings the schema up to date.
const MIGRATING: i64 = 0x706f_696e_7467;

/// What is set in each session of MySQL and MariaDB: values are refused, not bent; a statement sees what is committed when
/// it begins; an answer of any length is whole.
const MYSQL_SESSION: &str = "SET SESSION \
    sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
    time_zone = '+00:00', group_concat_max_len = 1073741824, innodb_lock_wait_timeout = 5";
const MYSQL_ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// The database, with one way in for writes and another for reads, which a write does not hold up.
#[derive(Clone, Debug, Default)]
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    balances: DatabaseConnection,
}

impl Store {
    /// Opens `url` (`sqlite://FILE`, `postgres://…`, `mysql://…`), making SQLite's file and its folder where they are
    /// missing, and brings the schema up to date.
    ///
    /// # Errors
    /// Where it cannot be made, opened or migrated.
    pub async fn open(url: &str) -> Result<Store, DbErr> {
        if let Some(folder) = file(url).as_deref().and_then(Path::parent) {
            std::fs::create_dir_all(folder)
                .map_err(|e| DbErr::Custom(format!("cannot make {}: {e}", folder.display())))?;
        }
        let writers = if file(url).is_some() { 1 } else { WRITERS };
        let write = Database::connect(options(url, writers)).await?;
        let mut reading = options(url, READERS);
        // Many may ask at once, and then wait for each other.
        reading.acquire_timeout(BUSY);
        let read = Database::connect(reading).await?;
        let balances = Database::connect(options(url, 1)).await?;
        let store = Store {
            write,
            read,
            balances,
        };
        store.migrate(url).await?;
        Ok(store)
    }

    /// All changes or none, and one instance after the other where several start at once.
    async fn migrate(&self, url: &str) -> Result<(), DbErr> {
        if self.write.get_database_backend() == DbBackend::MySql {
            // There a change of the schema commits by itself, so a lock of the session keeps the others waiting.
            let db = Database::connect(options(url, 1)).await?;
            let lock = format!("SELECT GET_LOCK('pointgate-{MIGRATING}', 60)");
            db.query_one_raw(Statement::from_string(DbBackend::MySql, lock))
                .await?;
            let done = Migrator::up(&db, None).await;
            // The lock goes with its connection.
            db.close().await?;
            return done;
        }
        let transaction = self.begin_write().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            let lock = format!("SELECT pg_advisory_xact_lock({MIGRATING})");
            transaction.execute_unprepared(&lock).await?;
        }
        Migrator::up(&transaction, None).await?;
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
    pub async fn begin_write(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite = self.write.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            isolation_level: (!sqlite).then_some(IsolationLevel::ReadCommitted),
            ..Default::default()
        };
        again(|| self.write.begin_with_options(options)).await
    }

    /// Begins a transaction that reads all as it was at one moment.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn begin_snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite = self.read.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            isolation_level: (!sqlite).then_some(IsolationLevel::RepeatableRead),
            ..Default::default()
        };
        again(|| self.read.begin_with_options(options)).await
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

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
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
        .map_sqlx_postgres_opts(postgres)
        .map_sqlx_mysql_opts(mysql)
        .map_sqlx_mysql_pool_opts(mysql_sessions);
    options
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

fn postgres(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("pointgate").options([
        ("synchronous_commit", "on"),
        ("timezone", "UTC"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "30s"),
        // The statements are short and always the same.
        ("jit", "off"),
    ])
}

fn mysql(options: MySqlConnectOptions) -> MySqlConnectOptions {
    options.charset("utf8mb4").collation("utf8mb4_bin")
}

fn mysql_sessions(options: PoolOptions<MySql>) -> PoolOptions<MySql> {
    options.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(MYSQL_SESSION).await?;
            connection.execute(MYSQL_ISOLATION).await?;
            Ok(())
        })
    })
}
