//! The schema is the same on each database: its columns, what they hold, and what its constraints reject.

mod older;
mod rules;

use std::collections::BTreeSet;

use pointgate::ledger::database::Database;
use sea_orm::sqlx::error::ErrorKind;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, RuntimeErr, Statement};

use crate::database::{Home, databases};
use rules::{Constraint, ROWS, RULES, Rule};

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    table: String,
    name: String,
    nullable: bool,
    /// The most characters of a text that has a bound.
    length: Option<i64>,
}

/// A database with the schema and a row in each table.
struct Filled {
    name: &'static str,
    database: Database,
    _home: Home,
}

impl Filled {
    async fn all() -> Vec<Filled> {
        let mut all = Vec::new();
        for (name, server) in databases() {
            let home = Home::on(server);
            let database = Database::open(&home.url, 1).await.unwrap();
            let db = database.begin_write().await.unwrap();
            for row in ROWS {
                execute(&db, row).await.unwrap();
            }
            db.commit().await.unwrap();
            all.push(Filled {
                name,
                database,
                _home: home,
            });
        }
        all
    }

    /// Executes a statement and rolls it back. Returns what it gave.
    async fn attempt(&self, sql: &str) -> Result<(), DbErr> {
        let db = self.database.begin_write().await.unwrap();
        let done = execute(&db, sql).await;
        db.rollback().await.unwrap();
        done
    }

    async fn columns(&self) -> BTreeSet<Column> {
        let db = self.database.read();
        let backend = db.get_database_backend();
        let rows = Statement::from_string(backend, columns_of(backend));
        let rows = db.query_all_raw(rows).await.unwrap();
        rows.iter().map(|row| column(row).unwrap()).collect()
    }
}

async fn close(all: Vec<Filled>) {
    for one in all {
        one.database.close().await.unwrap();
    }
}

/// Executes a statement in which `{x:ab}` is a byte sixteen times.
async fn execute(db: &impl ConnectionTrait, sql: &str) -> Result<(), DbErr> {
    let mut words = sql.to_owned();
    while let Some((before, after)) = words.clone().split_once("{x:") {
        let (byte, after) = after.split_once('}').unwrap();
        let hex = byte.repeat(16);
        let bytes = match db.get_database_backend() {
            DbBackend::Postgres => format!("'\\x{hex}'::bytea"),
            _ => format!("X'{hex}'"),
        };
        words = format!("{before}{bytes}{after}");
    }
    let done = db.execute_unprepared(&words).await?;
    assert!(done.rows_affected() > 0, "{sql}: nothing was there");
    Ok(())
}

fn columns_of(database: DbBackend) -> &'static str {
    match database {
        DbBackend::Sqlite => {
            "SELECT m.name, c.name, 1 - (c.\"notnull\" OR c.pk) AS nullable, \
             CASE WHEN c.type LIKE 'varchar(%' THEN CAST(substr(c.type, 9) AS INTEGER) END \
             FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'seaql_migrations'"
        }
        DbBackend::Postgres => {
            "SELECT table_name::text, column_name::text, CASE is_nullable WHEN 'YES' THEN 1::bigint ELSE 0 END, \
             character_maximum_length::bigint FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name <> 'seaql_migrations'"
        }
        _ => {
            "SELECT table_name, column_name, CAST(is_nullable = 'YES' AS INTEGER), \
             CAST(CASE WHEN data_type = 'varchar' THEN character_maximum_length END AS INTEGER) \
             FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name <> 'seaql_migrations'"
        }
    }
}

fn column(row: &QueryResult) -> Result<Column, DbErr> {
    Ok(Column {
        table: row.try_get_by_index(0)?,
        name: row.try_get_by_index(1)?,
        nullable: row.try_get_by_index::<i64>(2)? == 1,
        length: row.try_get_by_index(3)?,
    })
}

fn kind(error: &DbErr) -> Option<ErrorKind> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return None;
    };
    error.as_database_error().map(|error| error.kind())
}

fn is(constraint: Constraint, error: &DbErr) -> bool {
    match constraint {
        Constraint::Unique => matches!(kind(error), Some(ErrorKind::UniqueViolation)),
        Constraint::ForeignKey => matches!(kind(error), Some(ErrorKind::ForeignKeyViolation)),
        Constraint::Check => matches!(kind(error), Some(ErrorKind::CheckViolation)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_columns_are_the_same() {
    let all = Filled::all().await;
    let columns = all[0].columns().await;
    let tables: BTreeSet<&str> = columns.iter().map(|column| &*column.table).collect();
    let filled = ROWS.iter().map(|row| row.split(' ').nth(2).unwrap());
    // The migrations fill these.
    let filled = filled.chain(["advisory_lock", "clock", "lease", "probe"]);
    assert_eq!(tables, filled.collect(), "each table has a row");
    for one in &all[1..] {
        assert_eq!(one.columns().await, columns, "{}", one.name);
    }
    close(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_constraints_are_the_same() {
    let all = Filled::all().await;
    let mut wrong = Vec::new();
    for one in &all {
        for Rule(sql, good, bad, constraint) in &RULES {
            if let Err(error) = one.attempt(&sql.replace("$v", good)).await {
                wrong.push(format!("{}: {sql} with {good}: {error}", one.name));
            }
            for bad in *bad {
                match one.attempt(&sql.replace("$v", bad)).await {
                    Err(error) if is(*constraint, &error) => {}
                    done => wrong.push(format!(
                        "{}: {sql} with {bad}, not {constraint:?}: {done:?}",
                        one.name
                    )),
                }
            }
        }
    }
    close(all).await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Exactly the nullable columns take NULL.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_columns_are_nullable() {
    let all = Filled::all().await;
    let mut wrong = Vec::new();
    for one in &all {
        // The database gives the numbers in `id`.
        let columns = one.columns().await;
        for column in columns.iter().filter(|column| column.name != "id") {
            let unknown = format!("UPDATE {} SET {} = NULL", column.table, column.name);
            let done = one.attempt(&unknown).await;
            let fine = match &done {
                Ok(()) => column.nullable,
                Err(error) => {
                    !column.nullable && matches!(kind(error), Some(ErrorKind::NotNullViolation))
                }
            };
            if !fine {
                wrong.push(format!("{}: {column:?}: {done:?}", one.name));
            }
        }
    }
    close(all).await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A text of full length comes back to the byte, though each of its characters takes four bytes. A server rejects a longer text and
/// never cuts it. SQLite keeps a text of any length, so that only the methods refuse it there.
#[tokio::test(flavor = "multi_thread")]
async fn no_text_is_cut() {
    let all = Filled::all().await;
    for one in &all {
        let columns = one.columns().await;
        let texts = columns
            .iter()
            .filter_map(|column| Some((column, column.length?)));
        assert!(texts.clone().count() > 20, "{}", one.name);
        for (Column { table, name, .. }, length) in texts {
            let key = format!("{table}.{name} in {}", one.name);
            let full = "😀".repeat(usize::try_from(length).unwrap());
            let db = one.database.begin_write().await.unwrap();
            let set = |text: &str| format!("UPDATE {table} SET {name} = '{text}'");
            let second = match table.as_str() {
                "account" | "member" => Some("id = 2"),
                "advisory_lock" => Some("name <> 'identities'"),
                _ => None,
            };
            if let Some(second) = second {
                let other = format!("DELETE FROM {table} WHERE {second}");
                execute(&db, &other).await.unwrap();
            }
            execute(&db, &set(&full)).await.expect(&key);
            let select = format!("SELECT {name} FROM {table}");
            let select = Statement::from_string(db.get_database_backend(), select);
            let kept = db.query_one_raw(select).await.unwrap().unwrap();
            assert_eq!(kept.try_get_by_index::<String>(0).unwrap(), full, "{key}");
            let longer = execute(&db, &set(&format!("{full}x"))).await;
            assert_eq!(longer.is_err(), one.name != "SQLite", "{key}");
            db.rollback().await.unwrap();
        }
    }
    close(all).await;
}
