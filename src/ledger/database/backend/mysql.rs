//! MySQL and MariaDB.
//!
//! Their locks are those of one server. A Galera cluster replicates neither `GET_LOCK` nor the lock of a row that is read
//! `FOR UPDATE`: all instances must write to one of its nodes, and one instance alone must change the schema.

use std::ops::RangeInclusive;
use std::time::Duration;

use sea_orm::sqlx::Executor;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlSslMode};
use sea_orm::{ConnectOptions, DbBackend, IsolationLevel, TransactionOptions};

use super::{Backend, Message, Role, RowEncoding, SchemaLock, Syntax, tls};
use crate::ledger::database::health::WriteHealth;
use crate::ledger::database::lock::name::{Lock, LockMode};
use crate::ledger::database::statements::set_statement::{
    ColumnType, Kind, OnConflict, SetStatement, with_hex,
};

/// The collations by which MariaDB and MySQL compare texts byte by byte: those of the tables' columns.
const BYTEWISE: &str = "/*M!100000 utf8mb4_nopad_bin */ /*!80000 utf8mb4_0900_bin */";

/// Strict about values; the row locks of an instance that stands still are free again after 10 s, on MariaDB alone.
const SESSION: &str = "SET SESSION \
    sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
    time_zone = '+00:00', innodb_lock_wait_timeout = 5 \
    /*M!100000 , idle_transaction_timeout = 10 */";
/// A statement sees what is committed when it begins.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
/// The same in a session that must not write.
const READ_ONLY: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY";

pub(super) static BACKEND: Backend = Backend {
    database: DbBackend::MySql,
    index: 2,
    schemes: &["mysql"],
    file: |_| None,
    without_tls: Some("ssl-mode=DISABLED"),
    // Shorter than a request may take, so that an outage is answered as one.
    acquire_timeout: Duration::from_secs(3),
    prepare,
    writers: 2,
    lock: Some(lock),
    begin_write: TransactionOptions {
        isolation_level: None,
        access_mode: None,
        sqlite_transaction_mode: None,
    },
    begin_snapshot: TransactionOptions {
        isolation_level: Some(IsolationLevel::RepeatableRead),
        access_mode: None,
        sqlite_transaction_mode: None,
    },
    reports_commits: false,
    // A lock of the server's, not of the database's; its name may have 64 characters. A change of the schema may copy a whole table: others wait a day.
    schema_lock: SchemaLock::Session(
        "SELECT GET_LOCK(CONCAT('pointgate-', SHA1(DATABASE())), 86400)",
    ),
    is_lost_race,
    is_lost_connection,
    is_locked: |_| false,
    // If there is a binary log, recovery rolls back what is missing in it.
    unsafe_settings: Some(
        "SHOW GLOBAL VARIABLES WHERE \
         (Variable_name = 'innodb_flush_log_at_trx_commit' AND Value <> '1') \
         OR (Variable_name = 'sync_binlog' AND Value <> '1' AND @@log_bin) \
         OR (Variable_name = 'innodb_doublewrite' AND Value IN ('OFF', '0'))",
    ),
    now: "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
    has_own_clock: true,
    allow_idling: Some(
        "SET SESSION wait_timeout = 28800 /*M!100000 , idle_transaction_timeout = 0 */",
    ),
    after_copy: |_, _| Vec::new(),
    syntax: Syntax {
        render,
        parameters: RowEncoding::Json,
        // MariaDB aggregates JSON in a table on disk.
        answers_in_one: false,
        // An inserted row counts once and a changed one twice. The driver asks for found rows, so that an unchanged one counts
        // once too.
        upsert_affects: 1..=2,
        // A change is an upsert, and a row that it had to insert would count once.
        update_affects: 2,
        // MariaDB reads numbers and hexadecimal in a statement far faster than it takes JSON apart, and a round trip costs as
        // much as several statements.
        message: Some(Message {
            note,
            check,
            is_failed_check,
        }),
    },
};

fn prepare(options: &mut ConnectOptions, health: &WriteHealth, role: Role) {
    let health = health.clone();
    let transactions = match role {
        Role::Write | Role::Read | Role::Balances => ISOLATION,
        Role::ReadOnly => READ_ONLY,
    };
    let sets_tls = tls::is_set(options.get_url());
    options
        .map_sqlx_mysql_opts(move |options| {
            let options = options.charset("utf8mb4").collation("utf8mb4_bin");
            match sets_tls {
                true => options,
                false => with_tls(options),
            }
        })
        .map_sqlx_mysql_pool_opts(move |options| {
            health.guard(options.after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(SESSION).await?;
                    connection.execute(transactions).await?;
                    Ok(())
                })
            }))
        });
}

/// Requires TLS unless the server is on this machine, to which the driver would use it if it can.
fn with_tls(options: MySqlConnectOptions) -> MySqlConnectOptions {
    let is_local = options.get_socket().is_some() || tls::is_local(options.get_host());
    options.ssl_mode(match is_local {
        true => MySqlSslMode::Disabled,
        false => MySqlSslMode::Required,
    })
}

fn lock(lock: Lock, mode: LockMode) -> String {
    let mode = match mode {
        LockMode::Exclusive => "FOR UPDATE",
        LockMode::Shared => "LOCK IN SHARE MODE",
    };
    let name = lock.name();
    format!("SELECT name FROM advisory_lock WHERE name = '{name}' {mode}")
}

fn is_lost_race(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<MySqlDatabaseError>();
    // Deadlock, and lock wait timeout.
    error.is_some_and(|error| error.code() == Some("40001") || error.number() == 1205)
}

fn is_lost_connection(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<MySqlDatabaseError>();
    let code = error.and_then(MySqlDatabaseError::code);
    // MariaDB's KILL, and a broken connection.
    code.is_some_and(|code| code == "70100" || code.starts_with("08"))
}

fn note(number: usize) -> String {
    format!("SET @rows{number} = ROW_COUNT()")
}

/// A subquery of two rows where one value belongs is an error, and is read only if it is needed. `DO` would ignore the error.
fn check(affected: &[RangeInclusive<u64>]) -> String {
    let within = affected.iter().enumerate().map(|(number, affected)| {
        let (least, most) = (affected.start(), affected.end());
        format!("@rows{number} BETWEEN {least} AND {most}")
    });
    let within: Vec<String> = within.collect();
    let within = within.join(" AND ");
    format!("SET @checked = IF({within}, 0, (SELECT 1 UNION SELECT 2))")
}

fn is_failed_check(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<MySqlDatabaseError>();
    // ER_SUBQUERY_NO_1_ROW, which no other statement of ours can meet.
    error.is_some_and(|error| error.number() == 1242)
}

fn render(statement: &SetStatement) -> String {
    match &statement.kind {
        Kind::Query {
            answer,
            from,
            locks,
        } => render_query(statement, answer, from, *locks),
        change => render_change(statement, change),
    }
}

fn render_query(
    statement: &SetStatement,
    answer: &str,
    from: &str,
    locks: Option<(&str, &str)>,
) -> String {
    let scalar = statement.is_scalar();
    let read = statement.list(|at, column| {
        let path = match scalar {
            true => "$".to_owned(),
            false => format!("$[{at}]"),
        };
        let name = column.name;
        match column.kind {
            ColumnType::Int => format!("{name} BIGINT PATH '{path}'"),
            ColumnType::Text => format!("{name} LONGTEXT COLLATE {BYTEWISE} PATH '{path}'"),
            ColumnType::Bytes => format!("{name} VARCHAR(64) PATH '{path}'"),
        }
    });
    let columns = statement.list(|_, column| match column.kind {
        ColumnType::Int | ColumnType::Text => column.name.to_owned(),
        ColumnType::Bytes => format!("UNHEX({0}) AS {0}", column.name),
    });
    let rows = format!(
        "(SELECT place - 1 AS place, {columns} \
         FROM JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY, {read})) r) k"
    );
    // The driver takes what MySQL knows to be JSON for no text.
    let query = format!("SELECT CAST(JSON_ARRAY({answer}) AS CHAR)");
    let text = match locks {
        // MySQL locks rows in the order in which it comes to them. It sorts the inner query only because that has a limit.
        Some((table, name)) => format!(
            "{query} FROM (SELECT k.place, {name}.id {from} ORDER BY {name}.id LIMIT 18446744073709551615) k \
             STRAIGHT_JOIN {table} {name} ON {name}.id = k.id FOR UPDATE"
        ),
        None => format!("{query} {from}"),
    };
    // Each of them stands once, after the rows and in this order.
    let text = text.replace("{text2}", "?").replace("{int3}", "?");
    with_hex(&text, |bytes| format!("HEX({bytes})"))
        .replace("{k}", &rows)
        .replace("{join}", "STRAIGHT_JOIN")
}

/// The text of a change around its rows, whose place is `{rows:…}` with what stands before the values of each of them.
fn render_change(statement: &SetStatement, change: &Kind) -> String {
    let names = statement.names();
    let matches = |keys: &[&str]| {
        let pairs = keys.iter().map(|key| format!("t.{key} = k.{key}"));
        pairs.collect::<Vec<_>>().join(" AND ")
    };
    match change {
        Kind::Query { .. } => String::new(),
        Kind::Insert { table } => format!("INSERT INTO {table} ({names}) VALUES {{rows:(}}"),
        Kind::Upsert {
            table, conflict, ..
        } => {
            let set = conflict.iter().map(|(column, how)| match how {
                OnConflict::Replace => format!("{column} = VALUES({column})"),
                OnConflict::Add => format!("{column} = {column} + VALUES({column})"),
            });
            let set = set.collect::<Vec<_>>().join(", ");
            format!("INSERT INTO {table} ({names}) VALUES {{rows:(}} ON DUPLICATE KEY UPDATE {set}")
        }
        // An UPDATE would have to join the table to the rows, which MariaDB writes to a temporary table first: that takes twice as
        // long.
        Kind::Update {
            table,
            keys,
            needed,
        } => {
            let set = statement
                .values(keys)
                .map(|name| format!("{name} = VALUES({name})"));
            let set = set.collect::<Vec<_>>().join(", ");
            let columns: String = needed.iter().map(|name| format!("{name}, ")).collect();
            let nothing = "'',".repeat(needed.len());
            format!(
                "INSERT INTO {table} ({columns}{names}) VALUES {{rows:({nothing}}} ON DUPLICATE KEY UPDATE {set}"
            )
        }
        Kind::Delete { table } => {
            let keys: Vec<&str> = statement.columns.iter().map(|it| it.name).collect();
            let (rows, matches) = (derived(statement), matches(&keys));
            format!("DELETE t FROM {rows} STRAIGHT_JOIN {table} t ON {matches}")
        }
    }
}

/// The rows as a table `k`. An empty query before them names its columns and gives them types.
fn derived(statement: &SetStatement) -> String {
    let columns = statement.list(|_, column| {
        let name = column.name;
        match column.kind {
            ColumnType::Int => format!("0 AS {name}"),
            ColumnType::Text => format!("_utf8mb4 '' COLLATE {BYTEWISE} AS {name}"),
            ColumnType::Bytes => format!("X'' AS {name}"),
        }
    });
    format!("(SELECT {columns} FROM DUAL WHERE FALSE UNION ALL VALUES {{rows:/*!80000 ROW*/(}}) k")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_on_this_machine_goes_without_tls() {
        for (url, is_local) in [
            ("mysql://u:p@127.0.0.1:3306/d", true),
            ("mysql://[::1]/d", true),
            ("mysql://db/d?socket=/run/mysqld/mysqld.sock", true),
            ("mysql://127.0.0.1@db.example/d", false),
            ("mysql://localhost.example/d", false),
        ] {
            let options: MySqlConnectOptions = url.parse().unwrap();
            let mode = with_tls(options).get_ssl_mode();
            let is_right = match is_local {
                true => matches!(mode, MySqlSslMode::Disabled),
                false => matches!(mode, MySqlSslMode::Required),
            };
            assert!(is_right, "{url}: {mode:?}");
        }
    }
}
