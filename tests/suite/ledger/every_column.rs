//! Tampering with every column of every table, generated from the schema: values change, vanish and change places, rows go and come.
//! The audit finds each, or a constraint refuses it, or the list below says why it does not matter.

use std::collections::BTreeMap;

use pointgate::ledger::upkeep::audit::{AuditError, check};
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, Statement,
    TransactionTrait,
};

use crate::cli::copy::fixture::{fill, new_dir};
use crate::database::{MARIADB, POSTGRES};
use crate::program::ProgramDir;

/// What may be done to a table unnoticed, and why that does not matter. `*` is every column, and every row that goes or comes.
const UNNOTICED: &[(&str, &str, &str)] = &[
    ("action", "id", "it only orders the rows"),
    ("advisory_lock", "*", "its rows are there to be locked"),
    (
        "clock",
        "*",
        "what instances saw of the time: at worst they stop, or trust their own clock",
    ),
    ("contra", "shard", "only the sum over the shards counts"),
    (
        "credit_allowance",
        "*",
        "it bounds what a caller may yet credit; what it did credit stands in entries, with its origin",
    ),
    (
        "follow",
        "*",
        "a member follows and unfollows at will, and no points hang on it",
    ),
    (
        "key_use",
        "*",
        "it tells an operator which key is idle, and permits nothing",
    ),
    (
        "lease",
        "*",
        "it keeps two instances from the same work, which is harmless twice",
    ),
    (
        "member",
        "*",
        "a profile; who owns an account is said by identity",
    ),
    (
        "message",
        "*",
        "it keeps a message from changing a profile twice",
    ),
    (
        "payment",
        "user_key",
        "it can be erased; who got the points stands in the entry",
    ),
    (
        "probe",
        "*",
        "it is written to see whether the disk is full",
    ),
    ("tally", "shard", "only the sum over the shards counts"),
];

/// The tables of the schema whose rows no audit reads.
const OWN: [&str; 2] = ["seaql_migrations", "sqlite_sequence"];

#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
    is_key: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Number,
    Text,
    Bytes,
}

/// A table with its columns.
struct Table {
    name: String,
    columns: Vec<Column>,
}

impl Table {
    fn keys(&self) -> String {
        let keys = self.columns.iter().filter(|column| column.is_key);
        let keys: Vec<&str> = keys.map(|column| column.name.as_str()).collect();
        keys.join(", ")
    }

    /// The keys of the table's first or last row, as a subquery that MySQL takes for the table that it changes, too.
    fn end(&self, last: bool) -> String {
        let keys = self.keys();
        let order = match last {
            true => keys.replace(',', " DESC,") + " DESC",
            false => keys.clone(),
        };
        let name = &self.name;
        format!("(SELECT {keys} FROM (SELECT {keys} FROM {name} ORDER BY {order} LIMIT 1) x)")
    }

    /// The column's value in that row.
    fn value(&self, column: &str, last: bool) -> String {
        let (keys, name, end) = (self.keys(), &self.name, self.end(last));
        format!("(SELECT {column} FROM (SELECT * FROM {name} WHERE ({keys}) IN {end}) y)")
    }

    /// All that is done to the table: what it is called in the list above, and its statement.
    fn tampering(&self, database: DbBackend) -> Vec<(String, String)> {
        let (name, keys) = (&self.name, self.keys());
        let mut all = Vec::new();
        for last in [false, true] {
            let end = self.end(last);
            let of_end = format!("WHERE ({keys}) IN {end}");
            for column in &self.columns {
                let (column_name, other) = (&column.name, other(column, database));
                for value in [other.as_str(), "NULL"] {
                    let is_other = match value {
                        "NULL" => format!("AND {column_name} IS NOT NULL"),
                        _ => String::new(),
                    };
                    let change =
                        format!("UPDATE {name} SET {column_name} = {value} {of_end} {is_other}");
                    all.push((column_name.clone(), change));
                }
            }
            all.push(("delete".to_owned(), format!("DELETE FROM {name} {of_end}")));
            let names: Vec<&str> = self.columns.iter().map(|it| it.name.as_str()).collect();
            let values = self.columns.iter().map(|column| match column.is_key {
                true => other(column, database),
                false => column.name.clone(),
            });
            let values: Vec<String> = values.collect();
            let (names, values) = (names.join(", "), values.join(", "));
            let insert = format!(
                "INSERT INTO {name} ({names}) SELECT {values} FROM (SELECT * FROM {name} {of_end}) z"
            );
            all.push(("insert".to_owned(), insert));
        }
        for column in self.columns.iter().filter(|column| !column.is_key) {
            let column = &column.name;
            let (first, last) = (self.value(column, false), self.value(column, true));
            let (at_first, at_last) = (self.end(false), self.end(true));
            let swap = format!(
                "UPDATE {name} SET {column} = CASE WHEN ({keys}) IN {at_first} THEN {last} ELSE {first} END \
                 WHERE (({keys}) IN {at_first} OR ({keys}) IN {at_last}) AND {first} <> {last}"
            );
            all.push((column.clone(), swap));
        }
        all
    }
}

/// Another value of a column, of the same length if that is fixed.
fn other(column: &Column, database: DbBackend) -> String {
    let name = &column.name;
    match (column.kind, database) {
        (Kind::Number, _) => format!("COALESCE({name}, 0) + 1"),
        (Kind::Text, DbBackend::MySql) => format!("CONCAT(COALESCE({name}, ''), 'x')"),
        (Kind::Text, _) => format!("COALESCE({name}, '') || 'x'"),
        (Kind::Bytes, DbBackend::MySql) => {
            format!("REPEAT(X'5a', COALESCE(LENGTH({name}), 16))")
        }
        (Kind::Bytes, DbBackend::Postgres) => {
            format!("decode(repeat('5a', COALESCE(length({name}), 16)), 'hex')")
        }
        (Kind::Bytes, _) => {
            format!("CAST(replace(hex(zeroblob(COALESCE(length({name}), 16))), '00', 'Z') AS blob)")
        }
    }
}

/// The tables and their columns, which are the same on every database.
async fn tables() -> Vec<Table> {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    migration::up(&db).await.unwrap();
    let query = |sql: String| Statement::from_string(DbBackend::Sqlite, sql);
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name".to_owned();
    let mut tables = Vec::new();
    for row in db.query_all_raw(query(names)).await.unwrap() {
        let name: String = row.try_get_by_index(0).unwrap();
        if OWN.contains(&name.as_str()) {
            continue;
        }
        let columns = format!("SELECT name, type, pk FROM pragma_table_info('{name}')");
        let columns = db.query_all_raw(query(columns)).await.unwrap();
        let column = |row: &sea_orm::QueryResult| {
            let kind: String = row.try_get_by_index(1).unwrap();
            let key: i64 = row.try_get_by_index(2).unwrap();
            let kind = kind.to_lowercase();
            Column {
                name: row.try_get_by_index(0).unwrap(),
                kind: match kind.as_str() {
                    kind if kind.contains("blob") => Kind::Bytes,
                    kind if kind.contains("int") => Kind::Number,
                    kind if kind.contains("char") || kind.contains("text") => Kind::Text,
                    kind => panic!("{name}: {kind}"),
                },
                is_key: key > 0,
            }
        };
        let columns = columns.iter().map(column).collect();
        tables.push(Table { name, columns });
    }
    tables
}

/// What became of an attempt to tamper.
#[derive(Debug, PartialEq)]
enum Found {
    /// A constraint refused it, or it changed nothing.
    Refused,
    Yes,
    No,
}

async fn tamper(db: &DatabaseConnection, statement: &str) -> Found {
    let transaction = db.begin().await.unwrap();
    let found = match transaction.execute_unprepared(statement).await {
        Ok(changed) if changed.rows_affected() > 0 => audited(&transaction).await,
        Ok(_) => Found::Refused,
        Err(error) => {
            let error = error.to_string();
            // A wrong statement is not refused, it is the test's own fault.
            assert!(
                !error.to_lowercase().contains("syntax"),
                "{statement}: {error}"
            );
            Found::Refused
        }
    };
    transaction.rollback().await.unwrap();
    found
}

async fn audited(transaction: &DatabaseTransaction) -> Found {
    match check(transaction, |_, _| {}).await {
        Ok(_) => Found::No,
        Err(AuditError::Broken { .. }) => Found::Yes,
        // A value that no column of ours can hold is found as well.
        Err(AuditError::Database(error)) => {
            let error = error.to_string();
            assert!(error.contains("decod") || error.contains("null"), "{error}");
            Found::Yes
        }
    }
}

async fn tamper_with(dir: ProgramDir) {
    fill(&dir).await;
    let db = Database::connect(dir.database_url()).await.unwrap();
    let database = db.get_database_backend();
    if database == DbBackend::Sqlite {
        let without_constraints = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON";
        db.execute_unprepared(without_constraints).await.unwrap();
    }
    let untouched = db.begin().await.unwrap();
    assert_eq!(audited(&untouched).await, Found::No);
    untouched.rollback().await.unwrap();
    let mut unnoticed: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut found = 0;
    for table in tables().await {
        for (what, statement) in table.tampering(database) {
            match tamper(&db, &statement).await {
                Found::No => drop(unnoticed.insert((table.name.clone(), what), statement)),
                Found::Yes => found += 1,
                Found::Refused => {}
            }
        }
    }
    let listed = |table: &str, what: &str| {
        let mut list = UNNOTICED.iter();
        list.any(|(of, which, _)| *of == table && (*which == "*" || *which == what))
    };
    let missed = unnoticed.iter();
    let missed = missed.filter(|((table, what), _)| !listed(table, what));
    let missed: Vec<String> = missed.map(|(at, sql)| format!("{at:?}: {sql}")).collect();
    assert!(missed.is_empty(), "unnoticed:\n{}", missed.join("\n"));
    for (table, what, why) in UNNOTICED {
        let mut keys = unnoticed.keys();
        let stands = keys.any(|(of, which)| of == table && (*what == "*" || which == what));
        assert!(
            stands,
            "the audit finds changes of {table}, {what} after all: {why}"
        );
    }
    assert!(found > 200, "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_finds_a_change_of_any_column() {
    tamper_with(new_dir()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn the_audit_finds_a_change_of_any_column_on_postgresql() {
    tamper_with(new_dir().on_server(POSTGRES)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn the_audit_finds_a_change_of_any_column_on_mariadb() {
    tamper_with(new_dir().on_server(MARIADB)).await;
}
