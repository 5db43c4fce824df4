//! The tables and columns of the ledger get the names that the field has for them. Values stay as they are: the names of contra
//! accounts are part of every entry's hash.

use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr, Statement};

use crate::has_column;

const TABLES: [(&str, &str); 3] = [
    ("alias", "identity"),
    ("counter", "contra"),
    ("draw", "allocation"),
];

const COLUMNS: [(&str, &str, &str); 6] = [
    ("entry", "kind", "reason"),
    ("entry", "counter", "contra"),
    ("entry", "guard_key", "idempotency_key"),
    ("entry", "content_key", "fingerprint"),
    ("entry", "answered", "idempotency_balance"),
    ("message", "answer", "result"),
];

/// An entry's idempotency record is whole or absent.
const WHOLE: &str = "CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL) \
    AND (idempotency_key IS NULL) = (idempotency_balance IS NULL))";

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    match db.get_database_backend() {
        DbBackend::MySql => mysql(db).await,
        database => {
            for (old, new) in TABLES {
                execute(db, &format!("ALTER TABLE {old} RENAME TO {new}")).await?;
            }
            for (table, old, new) in COLUMNS {
                rename_column(db, table, old, new).await?;
            }
            let others: &[&str] = match database {
                DbBackend::Postgres => &[
                    "ALTER TABLE entry RENAME CONSTRAINT entry_guard_whole TO entry_idempotency_whole",
                    "ALTER INDEX entry_guard RENAME TO entry_idempotency",
                ],
                // SQLite cannot rename an index.
                _ => &[
                    "DROP INDEX entry_guard",
                    "CREATE UNIQUE INDEX entry_idempotency ON entry (idempotency_key)",
                ],
            };
            for other in others {
                execute(db, other).await?;
            }
            Ok(())
        }
    }
}

/// MySQL commits each step by itself: a try that was cut off goes on with the first step that is not done.
async fn mysql(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    for (old, new) in TABLES {
        if found(db, "tables", old, "table_type = 'BASE TABLE'").await? {
            execute(db, &format!("RENAME TABLE `{old}` TO `{new}`")).await?;
        }
    }
    // MySQL renames no column that a constraint names.
    if has_constraint(db, "entry_guard_whole").await? {
        execute(db, "ALTER TABLE entry DROP CONSTRAINT entry_guard_whole").await?;
    }
    for (table, old, new) in COLUMNS {
        if has_column(db, table, old).await? {
            rename_column(db, table, old, new).await?;
        }
    }
    if found(db, "statistics", "entry", "index_name = 'entry_guard'").await? {
        let rename = "ALTER TABLE entry RENAME INDEX entry_guard TO entry_idempotency";
        execute(db, rename).await?;
    }
    if !has_constraint(db, "entry_idempotency_whole").await? {
        let add = format!("ALTER TABLE entry ADD CONSTRAINT entry_idempotency_whole {WHOLE}");
        execute(db, &add).await?;
    }
    Ok(())
}

async fn rename_column(
    db: &DatabaseExecutor<'_>,
    table: &str,
    old: &str,
    new: &str,
) -> Result<(), DbErr> {
    let rename = format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}");
    execute(db, &rename).await
}

async fn has_constraint(db: &DatabaseExecutor<'_>, name: &str) -> Result<bool, DbErr> {
    let name = format!("constraint_name = '{name}'");
    found(db, "table_constraints", "entry", &name).await
}

/// Whether one of MySQL's catalogues has a matching row about a table.
async fn found(
    db: &DatabaseExecutor<'_>,
    catalogue: &str,
    table: &str,
    condition: &str,
) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 FROM information_schema.{catalogue} \
         WHERE table_schema = DATABASE() AND table_name = '{table}' AND {condition} LIMIT 1"
    );
    let row = db.query_one_raw(Statement::from_string(DbBackend::MySql, sql));
    Ok(row.await?.is_some())
}

async fn execute(db: &DatabaseExecutor<'_>, sql: &str) -> Result<(), DbErr> {
    db.execute_unprepared(sql).await.map(|_| ())
}
