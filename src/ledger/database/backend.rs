//! What one database does differently from another: a [`Backend`] each, and every difference a field of it.
//!
//! Everything else asks these fields and never which database it talks to. To add a database, write its `Backend` in a file
//! beside `backend/sqlite.rs` and list it in [`BACKENDS`].

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod tls;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{ConnectOptions, ConnectionTrait, DbBackend, TransactionOptions};

use super::health::WriteHealth;
use super::lock::name::{Lock, LockMode};
use super::statements::set_statement::{Kind, SetStatement};

/// The databases that this build knows; the first one is always there.
pub static BACKENDS: &[&Backend] = &[
    &sqlite::BACKEND,
    #[cfg(feature = "postgres")]
    &postgres::BACKEND,
    #[cfg(feature = "mysql")]
    &mysql::BACKEND,
];

/// A statement waits this long for a lock before it fails. Each backend sets it for its sessions.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// What a pool of connections is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The writers' connections.
    Write,
    /// The connections of histories, audits and copies.
    Read,
    /// The connection of coalesced balances.
    Balances,
    /// The connections of a program that only reads, which refuse to write.
    ReadOnly,
}

/// A database, as far as it differs from the others.
pub struct Backend {
    /// SeaORM's name of it.
    pub database: DbBackend,
    /// Its place in caches that hold one value for each backend.
    pub index: usize,
    /// What its URLs begin with, up to the colon.
    pub schemes: &'static [&'static str],
    /// The file that a URL names, if the database is a file.
    pub file: fn(&str) -> Option<PathBuf>,
    /// The query parameter of a URL that does without TLS, if the database is a server.
    pub without_tls: Option<&'static str>,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
    /// Applies the settings of the sessions of a pool, and guards its connections.
    pub prepare: fn(&mut ConnectOptions, &WriteHealth, Role),

    /// How many writers work fastest, if their number is left to the backend.
    pub writers: usize,
    /// The statement that takes a lock until the transaction ends. None if a transaction that writes has the whole database to
    /// itself, so that there is one writer and nothing to lock.
    pub lock: Option<fn(Lock, LockMode) -> String>,
    /// How a transaction that writes begins.
    pub begin_write: TransactionOptions,
    /// How a transaction begins whose reads all show the same moment.
    pub begin_snapshot: TransactionOptions,
    /// Whether the database itself reports each commit, so that a commit without a report is a failure.
    pub reports_commits: bool,
    /// How instances that start together change the schema one after the other.
    pub schema_lock: SchemaLock,

    /// Whether an error says that another transaction was first, so that another try may succeed. SeaORM recognises unique keys
    /// by itself.
    pub is_lost_race: fn(&dyn DatabaseError) -> bool,
    /// Whether an error says that the server has ended the connection.
    pub is_lost_connection: fn(&dyn DatabaseError) -> bool,
    /// Whether an error at the opening says that another program is opening the database.
    pub is_locked: fn(&dyn DatabaseError) -> bool,

    /// Queries the settings, as rows of name and value, that only the server's owner can change and that let a crash lose
    /// commits.
    pub unsafe_settings: Option<&'static str>,
    /// The time of the database's own clock (ms since 1970 UTC), as an expression.
    pub now: &'static str,
    /// Whether that is the clock of a server, which is another one than ours.
    pub has_own_clock: bool,
    /// Lets the transaction that begins it idle for hours, while the other side of a copy is audited.
    pub allow_idling: Option<&'static str>,
    /// The statements that follow a copy into a table with, if numbered, this column of numbers.
    pub after_copy: fn(table: &str, number: Option<&str>) -> Vec<String>,

    /// How it reads a [`SetStatement`].
    pub syntax: Syntax,
}

/// How instances that start together change the schema one after the other.
pub enum SchemaLock {
    /// All changes are one transaction, which begins with these statements.
    Transaction(&'static str),
    /// Each change commits by itself; this query locks for a session, and answers 1 if it did.
    Session(&'static str),
}

/// How a database reads set statements and their rows, and how it answers.
pub struct Syntax {
    /// Writes the text of a statement.
    pub render: fn(&SetStatement) -> String,
    /// How rows reach a query.
    pub parameters: RowEncoding,
    /// Whether a query answers all rows in one JSON array, instead of each in one of its own.
    pub answers_in_one: bool,
    /// How many rows it says an upsert of one row affects.
    pub upsert_affects: RangeInclusive<u64>,
    /// How many rows it says a change of one row affects.
    pub update_affects: u64,
    /// How changes are sent. None: one prepared statement each, whose parameters are its rows.
    pub message: Option<Message>,
}

/// How the rows of a set statement become its first parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowEncoding {
    /// One parameter: a JSON array of rows.
    Json,
    /// One parameter for each column: an array of its values.
    Arrays,
}

/// How several changes, each with its rows in its text, are sent in one message.
pub struct Message {
    /// A statement that notes how many rows the one before it affected, under a number of its own.
    pub note: fn(usize) -> String,
    /// A statement that fails unless the notes, in the order of their numbers, are within these ranges.
    pub check: fn(&[RangeInclusive<u64>]) -> String,
    /// Whether an error is that failure.
    pub is_failed_check: fn(&dyn DatabaseError) -> bool,
}

impl Backend {
    /// The backend of a connection.
    pub fn of(db: &impl ConnectionTrait) -> &'static Backend {
        let database = db.get_database_backend();
        let found = BACKENDS.iter().find(|one| one.database == database);
        // A build cannot connect to a database that it does not list.
        found.copied().unwrap_or(&sqlite::BACKEND)
    }

    /// The backend of a URL. None if this build knows no database of that scheme.
    pub fn of_url(url: &str) -> Option<&'static Backend> {
        let (scheme, _) = url.split_once(':')?;
        let found = BACKENDS.iter().find(|one| one.schemes.contains(&scheme));
        found.copied()
    }

    /// A statement as this database reads it.
    pub fn sql<'s>(&self, statement: &'s SetStatement) -> &'s str {
        statement.text(self.index, self.syntax.render)
    }

    /// How many rows this database must report as affected by a statement over `rows` rows.
    pub fn affects(&self, statement: &SetStatement, rows: usize) -> RangeInclusive<u64> {
        let rows = rows as u64;
        let (upsert, update) = (&self.syntax.upsert_affects, self.syntax.update_affects);
        match statement.kind {
            Kind::Query { .. } => 0..=0,
            Kind::Insert { .. } | Kind::Delete { .. } => rows..=rows,
            Kind::Update { .. } => rows * update..=rows * update,
            Kind::Upsert { .. } => rows * upsert.start()..=rows * upsert.end(),
        }
    }

    /// Whether several transactions write at the same time.
    pub fn writes_concurrently(&self) -> bool {
        self.lock.is_some()
    }

    /// How many writers work on this database if its owner wants `wanted`; 0 leaves it to the backend.
    pub fn writers(&self, wanted: usize) -> usize {
        match wanted {
            _ if !self.writes_concurrently() => 1,
            0 => self.writers,
            more => more,
        }
    }
}
