//! Opening the database: settings that durability rests on are set here, not hoped for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

/// Connections for readers. Few are enough, since waiting reads are gathered into one statement.
const READERS: u32 = 3;
/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);

/// How many pages the write-ahead log may hold (of 4 KiB: 64 MiB) before it is folded into the file. Many batches touch the
/// same pages, which are then written to the file once.
const CHECKPOINT_PAGES: &str = "16384";
/// Pages that a connection keeps in memory; as SQLite has it, a negative number of KiB.
const CACHE_KIB: &str = "-10240";

/// The database, with one way in for writes and another for reads, which a write does not hold up.
#[derive(Clone, Debug, Default)]
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    balances: DatabaseConnection,
}

impl Store {
    /// Opens `url` (`sqlite://FILE`), making the file and its folder where they are missing, and brings the schema up
    /// to date.
    ///
    /// # Errors
    /// Where the file cannot be made, opened or migrated.
    pub async fn open(url: &str) -> Result<Store, DbErr> {
        if let Some(folder) = file(url).as_deref().and_then(Path::parent) {
            std::fs::create_dir_all(folder)
                .map_err(|e| DbErr::Custom(format!("cannot make {}: {e}", folder.display())))?;
        }
        let write = Database::connect(options(url, 1)).await?;
        let read = Database::connect(options(url, READERS)).await?;
        let balances = Database::connect(options(url, 1)).await?;
        let store = Store {
            write,
            read,
            balances,
        };
        // All changes or none, and one instance after the other where several start at once.
        let transaction = store.begin_write().await?;
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
        Ok(store)
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

    /// Begins a transaction that writes; it holds the write lock from its first statement on, so that what it reads
    /// stays true until it commits, also next to another process.
    ///
    /// # Errors
    /// Where the database does not answer or another process holds the lock for too long.
    pub async fn begin_write(&self) -> Result<DatabaseTransaction, DbErr> {
        self.write
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            })
            .await
    }

    /// Closes all connections; the write-ahead log is folded into the file.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn close(self) -> Result<(), DbErr> {
        self.balances.close().await?;
        self.read.close().await?;
        self.write.close().await
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
    options
        .max_connections(connections)
        .min_connections(1)
        // A connection that has been opened stays: its prepared statements are its worth.
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(BUSY)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(durable);
    options
}

fn durable(options: SqliteConnectOptions) -> SqliteConnectOptions {
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
