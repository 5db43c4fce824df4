//! PostgreSQL.

use std::time::Duration;

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgSslMode};
use sea_orm::{ConnectOptions, DbBackend, IsolationLevel, TransactionOptions};

use super::{Backend, Role, RowEncoding, SchemaLock, Syntax, tls};
use crate::ledger::database::health::WriteHealth;
use crate::ledger::database::lock::name::{Lock, LockMode};
use crate::ledger::database::statements::set_statement::{
    ColumnType, Kind, SetStatement, standard_change, with_hex,
};

/// The first half of the key of every advisory lock of ours: "poin" in ASCII.
const LOCK_NAMESPACE: i32 = 0x706f_696e;

pub(super) static BACKEND: Backend = Backend {
    database: DbBackend::Postgres,
    index: 1,
    schemes: &["postgres", "postgresql"],
    file: |_| None,
    without_tls: Some("sslmode=disable"),
    // Shorter than a request may take, so that an outage is answered as one.
    acquire_timeout: Duration::from_secs(3),
    prepare,
    writers: 4,
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
    // The key is "pointg" in ASCII. A change of the schema may copy a whole table: others wait a day.
    schema_lock: SchemaLock::Transaction(
        "SET LOCAL lock_timeout = '86400s'; SELECT pg_advisory_xact_lock(123623812527207); \
         SET LOCAL lock_timeout TO DEFAULT",
    ),
    is_lost_race,
    is_lost_connection,
    is_locked: |_| false,
    unsafe_settings: Some(
        "SELECT name, setting FROM pg_settings \
         WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'",
    ),
    now: "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)",
    has_own_clock: true,
    allow_idling: Some("SET LOCAL idle_in_transaction_session_timeout = 0"),
    after_copy,
    syntax: Syntax {
        render,
        // As JSON, the array would be parsed anew for each of its values.
        parameters: RowEncoding::Arrays,
        answers_in_one: true,
        upsert_affects: 1..=1,
        update_affects: 1,
        message: None,
    },
};

fn prepare(options: &mut ConnectOptions, health: &WriteHealth, role: Role) {
    let health = health.clone();
    let session = match role {
        Role::Read => session,
        Role::Write | Role::Balances => session_by_index,
        Role::ReadOnly => session_read_only,
    };
    let sets_tls = tls::is_set(options.get_url());
    options
        .map_sqlx_postgres_opts(move |options| match sets_tls {
            true => session(options),
            false => session(with_tls(options)),
        })
        .map_sqlx_postgres_pool_opts(move |options| health.guard(options));
}

/// Requires TLS unless the server is on this machine, to which the driver would use it if it can.
fn with_tls(options: PgConnectOptions) -> PgConnectOptions {
    let is_local = options.get_socket().is_some() || tls::is_local(options.get_host());
    match (is_local, options.get_ssl_mode()) {
        (true, PgSslMode::Prefer) => options.ssl_mode(PgSslMode::Disable),
        (false, PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer) => {
            options.ssl_mode(PgSslMode::Require)
        }
        _ => options,
    }
}

fn session(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("pointgate").options([
        ("synchronous_commit", "on"),
        ("timezone", "UTC"),
        ("lock_timeout", "5s"),
        ("default_transaction_isolation", "read committed"),
        ("idle_in_transaction_session_timeout", "10s"),
        // The statements are short and always the same.
        ("jit", "off"),
    ])
}

/// Rules out plans that read a whole table. The set statements look up a few keys; PostgreSQL plans each once, when its tables
/// may still be empty and reading them looks cheap, and would keep that plan for long.
fn session_by_index(options: PgConnectOptions) -> PgConnectOptions {
    session(options).options([
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
    ])
}

fn session_read_only(options: PgConnectOptions) -> PgConnectOptions {
    session(options).options([("default_transaction_read_only", "on")])
}

fn lock(lock: Lock, mode: LockMode) -> String {
    let function = match mode {
        LockMode::Exclusive => "pg_advisory_xact_lock",
        LockMode::Shared => "pg_advisory_xact_lock_shared",
    };
    format!("SELECT {function}({LOCK_NAMESPACE}, {})", lock.number())
}

fn is_lost_race(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    // Serialization failure, deadlock, lock timeout.
    error.is_some_and(|error| matches!(error.code(), "40001" | "40P01" | "55P03"))
}

fn is_lost_connection(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    // A server that stops, has crashed or starts, a transaction that idled for too long, a broken connection.
    error.is_some_and(|error| {
        matches!(error.code(), "57P01" | "57P02" | "57P03" | "25P03")
            || error.code().starts_with("08")
    })
}

/// Numbers further rows from the copied ones on, and plans for the rows that there are; other databases do both by themselves.
fn after_copy(table: &str, number: Option<&str>) -> Vec<String> {
    let last = number.map(|id| {
        format!("SELECT setval(pg_get_serial_sequence('{table}', '{id}'), MAX({id})) FROM {table}")
    });
    last.into_iter()
        .chain([format!("ANALYZE {table}")])
        .collect()
}

fn render(statement: &SetStatement) -> String {
    let columns = statement.names();
    let arrays = statement.list(|at, column| {
        let kind = match column.kind {
            ColumnType::Int => "bigint",
            ColumnType::Text => "text",
            ColumnType::Bytes => "bytea",
        };
        format!("${}::text::{kind}[]", at + 1)
    });
    let text = match &statement.kind {
        // PostgreSQL does not lock where it aggregates.
        Kind::Query {
            answer,
            from,
            locks: Some((_, name)),
        } => format!(
            "SELECT CAST(json_agg(found) AS text) FROM (SELECT json_build_array({answer}) AS found {from} \
             ORDER BY {name}.id FOR UPDATE OF {name}) locked"
        ),
        Kind::Query { answer, from, .. } => {
            format!("SELECT CAST(json_agg(json_build_array({answer})) AS text) {from}")
        }
        change => standard_change(statement, change),
    };
    let next = statement.columns.len() + 1;
    let text = text
        .replace("{k}", "k")
        .replace("{text2}", &format!("${next}::text"))
        .replace("{int3}", &format!("${}::bigint", next + 1))
        .replace("{join}", "JOIN");
    let text = with_hex(&text, |bytes| format!("encode({bytes}, 'hex')"));
    format!(
        "WITH k AS MATERIALIZED (SELECT ord - 1 AS place, {columns} \
         FROM unnest({arrays}) WITH ORDINALITY AS r({columns}, ord)) {text}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_on_this_machine_goes_without_tls() {
        for (url, is_local) in [
            ("postgres://u:p@127.0.0.1:5432/d", true),
            ("postgres://localhost/d", true),
            ("postgres:///d?host=/run/postgresql", true),
            ("postgres://%2Frun%2Fpostgresql/d", true),
            ("postgres://localhost@db/d", false),
            ("postgres://localhost/d?host=db", false),
            ("postgres://localhost/d?hostaddr=10.0.0.1", false),
        ] {
            let options: PgConnectOptions = url.parse().unwrap();
            let mode = with_tls(options.ssl_mode(PgSslMode::Prefer)).get_ssl_mode();
            let is_right = match is_local {
                true => matches!(mode, PgSslMode::Disable),
                false => matches!(mode, PgSslMode::Require),
            };
            assert!(is_right, "{url}: {mode:?}");
        }
    }
}
