//! Opening the database: settings that durability rests on are set here, not hoped for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::mysql::MySqlConnectOptions;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Executor, MySql, pool::PoolOptions};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, IsolationLevel, RuntimeErr, SqlErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

use super::durable;

/// Connections for readers. Few are enough, since waiting reads are gathered into one statement.
const READERS: u32 = 3;
/// Connections for the writes of others than the writers: what is known of members, sweeping.
const OTHERS: u32 = 2;
/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);

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
    /// Opens `url` (`sqlite://FILE`, `postgres://…`, `mysql://…`) for so many writers, making SQLite's file and its folder where
    /// they are missing, and brings the schema up to date.
    ///
    /// # Errors
    /// Where it cannot be made, opened or migrated.
    pub async fn open(url: &str, writers: usize) -> Result<Store, DbErr> {
        if let Some(folder) = file(url).as_deref().and_then(Path::parent) {
            std::fs::create_dir_all(folder)
                .map_err(|e| DbErr::Custom(format!("cannot make {}: {e}", folder.display())))?;
        }
        let writers = match file(url) {
            Some(_) => 1,
            None => u32::try_from(writers).unwrap_or(1) + OTHERS,
        };
        let write = Database::connect(options(url, writers)).await;
        let write = write.map_err(|error| discreet(url, error))?;
        let read = Database::connect(options(url, READERS)).await?;
        let balances = Database::connect(options(url, 1)).await?;
        let store = Store {
            write,
            read,
            balances,
        };
        store.migrate(url).await?;
        for setting in durable::off(&store.read).await? {
            log::warn!("the database has {setting}: a crash of it may lose what was acknowledged");
        }
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
        self.read.ping().await
    }

    /// Begins a transaction that writes. In SQLite it holds the write lock from its first statement on, so that what it
    /// reads stays true until it commits, also next to another process; elsewhere it locks the rows that it needs.
    ///
    /// # Errors
    /// Where the database does not answer or another process holds the lock for too long.
    pub async fn begin_write(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite = self.write.get_database_backend() == DbBackend::Sqlite;
        self.write
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
                ..Default::default()
            })
            .await
    }

    /// Begins a transaction that reads all as it was at one moment.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn begin_snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite = self.read.get_database_backend() == DbBackend::Sqlite;
        self.read
            .begin_with_options(TransactionOptions {
                isolation_level: (!sqlite).then_some(IsolationLevel::RepeatableRead),
                ..Default::default()
            })
            .await
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

/// How many writers a database profits from.
pub fn writers(url: &str) -> usize {
    match url.split(':').next() {
        Some("postgres") => 4,
        Some("mysql") => 4,
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

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(with_tls(url));
    options
        .max_connections(connections)
        .min_connections(1)
        // A connection that has been opened stays: its prepared statements are its worth.
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(BUSY)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(sqlite)
        .map_sqlx_postgres_opts(postgres)
        .map_sqlx_mysql_opts(mysql)
        .map_sqlx_mysql_pool_opts(mysql_sessions);
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

fn postgres(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("pointgate").options([
        ("synchronous_commit", "on"),
        ("timezone", "UTC"),
        ("lock_timeout", "5s"),
        ("default_transaction_isolation", "read committed"),
        ("idle_in_transaction_session_timeout", "30s"),
        // The statements are short and always the same.
        ("jit", "off"),
        ("plan_cache_mode", "force_generic_plan"),
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
