//! The database: its connections, with the settings that durability rests on, and the transactions on them.

pub mod backend;
pub mod clock;
pub mod durability;
pub mod guarded;
pub mod health;
pub mod lease;
pub mod lock;
mod private;
pub mod retry;
pub mod statements;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr, Statement, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::Mutex as AsyncMutex;

use backend::{Backend, Role, SchemaLock};
use guarded::GuardedTransaction;
use health::WriteHealth;
use retry::{again, while_locked};

/// Connections for histories, audits and copies.
const READERS: u32 = 3;
/// Connections for writes that do not pass through the writers: members, and purging.
const OTHERS: u32 = 2;
/// How long a read waits for a connection while longer reads have them.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// What a probe writes: more than one small write does, since a full disk often still takes a page.
const PROBE_BYTES: usize = 1 << 15;

/// The database. Writes and reads have connections of their own, so that neither waits for the other's.
#[derive(Clone, Debug, Default)]
pub struct Database {
    write: DatabaseConnection,
    read: DatabaseConnection,
    balances: DatabaseConnection,
    health: WriteHealth,
    probing: Arc<AsyncMutex<()>>,
}

/// Retires all connections when it is dropped.
struct Unfinished<'d>(&'d WriteHealth);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.retire_connections();
    }
}

impl Database {
    /// Opens the database at `url` (`sqlite://FILE`, `postgres://…`, `mysql://…`) for this number of writers, makes SQLite's file
    /// and its folder for their owner alone if they are missing, and brings the schema up to date.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database cannot be made, opened or migrated.
    pub async fn open(url: &str, writers: usize) -> Result<Database, DbErr> {
        let backend = known_backend(url)?;
        if let Some(file) = (backend.file)(url) {
            private::prepare(&file)?;
        }
        let writers = match backend.writes_concurrently() {
            true => u32::try_from(writers).unwrap_or(1) + OTHERS,
            false => 1,
        };
        let health = WriteHealth::default();
        let pool = |role, connections| options(url, backend, role, connections, &health);
        let connect = || sea_orm::Database::connect(pool(Role::Write, writers));
        let write = while_locked(backend, connect).await;
        let write = write.map_err(|error| explained(url, backend, error))?;
        let mut reading = pool(Role::Read, READERS);
        reading.acquire_timeout(READ_TIMEOUT);
        let read = sea_orm::Database::connect(reading).await?;
        let balances = sea_orm::Database::connect(pool(Role::Balances, 1)).await?;
        let database = Database {
            write,
            read,
            balances,
            health,
            probing: Arc::default(),
        };
        database.migrate(url).await?;
        for setting in durability::unsafe_settings(&database.read).await? {
            log::warn!("the database has {setting}: a crash of it may lose what was acknowledged");
        }
        Ok(database)
    }

    /// Opens the database at `url` for reading alone: what is there stays as it is, also its schema, and a user who may do nothing
    /// but read is enough.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database cannot be opened, or if its schema is not the one of this program.
    pub async fn open_read_only(url: &str) -> Result<Database, DbErr> {
        let backend = known_backend(url)?;
        let health = WriteHealth::default();
        let mut reading = options(url, backend, Role::ReadOnly, READERS, &health);
        reading.acquire_timeout(READ_TIMEOUT);
        let read = sea_orm::Database::connect(reading).await;
        let read = read.map_err(|error| explained(url, backend, error))?;
        migration::check(&read).await?;
        Ok(Database {
            write: read.clone(),
            balances: read.clone(),
            read,
            health,
            probing: Arc::default(),
        })
    }

    /// What this database does differently from others.
    pub fn backend(&self) -> &'static Backend {
        Backend::of(&self.write)
    }

    /// Brings the schema up to date while no other instance does.
    async fn migrate(&self, url: &str) -> Result<(), DbErr> {
        let backend = self.backend();
        match backend.schema_lock {
            SchemaLock::Transaction(lock) => {
                let transaction = self.begin_write().await?;
                if !lock.is_empty() {
                    transaction.execute_unprepared(lock).await?;
                }
                migration::up(&*transaction).await?;
                transaction.commit().await
            }
            SchemaLock::Session(lock) => {
                let session = options(url, backend, Role::Read, 1, &self.health);
                let db = sea_orm::Database::connect(session).await?;
                let locked = Statement::from_string(backend.database, lock);
                let locked = db.query_one_raw(locked).await?;
                let locked: Option<i64> = locked.and_then(|row| row.try_get_by_index(0).ok());
                let done = match locked {
                    Some(1) => migration::up(&db).await,
                    _ => Err(DbErr::Custom(
                        "another instance is still bringing the schema up to date".into(),
                    )),
                };
                // The lock ends with its session.
                db.close().await?;
                done
            }
        }
    }

    /// The connections for reads.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// The connection for coalesced balances: a single one, whose pages and statements stay warm and which no long read
    /// occupies.
    pub fn balances(&self) -> &DatabaseConnection {
        &self.balances
    }

    /// Tries an operation again while it loses its connections. If the caller goes away before it ends, no connection that is open by
    /// then is used again: the answer is still to come, and the next operation would take it for its own.
    ///
    /// # Errors
    /// Returns the operation's last error.
    pub async fn again<T, F>(&self, operation: impl Fn() -> F) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let unfinished = Unfinished(&self.health);
        let done = again(operation).await;
        std::mem::forget(unfinished);
        done
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// Returns [`DbErr`] if it does not.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.again(|| self.read.ping()).await
    }

    /// Begins a transaction that writes. On SQLite it has the write lock from its first statement on, so that what it reads stays
    /// true until it commits, also if another process writes; servers lock the rows that it asks for.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer, or if another process has the lock for too long.
    pub async fn begin_write(&self) -> Result<GuardedTransaction, DbErr> {
        let options = self.backend().begin_write;
        self.begin(&self.write, options).await
    }

    /// Begins a transaction whose reads all show the same moment.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn begin_snapshot(&self) -> Result<GuardedTransaction, DbErr> {
        let options = self.backend().begin_snapshot;
        self.begin(&self.read, options).await
    }

    async fn begin(
        &self,
        pool: &DatabaseConnection,
        options: TransactionOptions,
    ) -> Result<GuardedTransaction, DbErr> {
        let inner = self.again(|| pool.begin_with_options(options)).await?;
        let health = self.health.clone();
        Ok(GuardedTransaction::new(inner, self.backend(), health))
    }

    /// Whether the database takes writes: yes while writes succeed; after one failed, if a probe can write now. One probe runs at
    /// a time; until it is through, the answer is no.
    pub async fn takes_writes(&self, now: i64) -> bool {
        if !self.health.is_failing() {
            return true;
        }
        let Ok(_one_at_a_time) = self.probing.try_lock() else {
            return false;
        };
        let probe = async {
            let transaction = self.begin_write().await?;
            let filler = " ".repeat(PROBE_BYTES);
            let write =
                format!("UPDATE probe SET written_at = {now}, filler = '{filler}' WHERE id = 1");
            let write = Statement::from_string(self.backend().database, write);
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

    /// Closes all connections; SQLite then folds its write-ahead log into the file.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn close(self) -> Result<(), DbErr> {
        self.balances.close().await?;
        self.read.close().await?;
        self.write.close().await
    }
}

fn known_backend(url: &str) -> Result<&'static Backend, DbErr> {
    Backend::of_url(url).ok_or_else(|| DbErr::Custom("the URL names no known database".into()))
}

/// The file that a URL names, if its database is a file.
pub fn file(url: &str) -> Option<PathBuf> {
    Backend::of_url(url).and_then(|backend| (backend.file)(url))
}

/// Keeps the URL, which may hold a password, out of an error, since the driver shows a URL that it cannot read; and says what to do
/// where the server has no TLS.
fn explained(url: &str, backend: &Backend, error: DbErr) -> DbErr {
    let text = error.to_string();
    match (text.contains(url), backend.without_tls) {
        (true, _) => DbErr::Custom("the URL of the database cannot be read".into()),
        (false, Some(without_tls)) if text.contains("does not support TLS") => {
            DbErr::Custom(format!(
                "{text}. A database on another machine needs TLS: set it up in the server, or, if the network between is your own, append \
             {without_tls} to the URL"
            ))
        }
        (false, _) => error,
    }
}

fn options(
    url: &str,
    backend: &Backend,
    role: Role,
    connections: u32,
    health: &WriteHealth,
) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    // No `min_connections`: to replace a lost one, the pool would try for minutes, ever less often, and keep its place from
    // everybody else, even after the server is back.
    options
        .max_connections(connections)
        // A connection stays open: its prepared statements are its worth.
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(backend.acquire_timeout)
        // A caller that gets a connection which has ended tries again.
        .test_before_acquire(false)
        .sqlx_logging(false);
    (backend.prepare)(&mut options, health, role);
    options
}
