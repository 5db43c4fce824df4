//! The record that a retry finds moves from a table of its own (`reference`) into the entry: one row and one index less to
//! write.

use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr, Statement};

/// The record is whole or absent.
const WHOLE: &str =
    "(guard_key IS NULL) = (content_key IS NULL) AND (guard_key IS NULL) = (answered IS NULL)";

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    match db.get_database_backend() {
        DbBackend::Postgres => postgres(db).await,
        DbBackend::MySql => mysql(db).await,
        _ => sqlite(db).await,
    }
}

async fn execute(db: &DatabaseExecutor<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        let statement = statement.replace("{whole}", WHOLE);
        db.execute_unprepared(&statement).await?;
    }
    Ok(())
}

async fn postgres(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    execute(
        db,
        &[
            "ALTER TABLE entry ADD COLUMN content_key bytea, ADD COLUMN answered bigint",
            "UPDATE entry e SET content_key = r.content_key, answered = r.balance_after FROM reference r \
             WHERE r.reference_key = e.guard_key",
            "ALTER TABLE entry ADD CONSTRAINT entry_guard_whole CHECK ({whole})",
            "CREATE UNIQUE INDEX entry_guard ON entry (guard_key)",
            "DROP TABLE reference",
        ],
    )
    .await
}

/// MySQL commits each step by itself: a try that was cut off goes on with the first step that is not done.
async fn mysql(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    if !there(db, "columns", "column_name = 'content_key'").await? {
        let columns = "ALTER TABLE entry ADD COLUMN content_key binary(16) NULL, ADD COLUMN answered bigint NULL";
        execute(db, &[columns]).await?;
    }
    if !there(db, "statistics", "index_name = 'entry_guard'").await? {
        execute(
            db,
            &[
                "UPDATE entry e STRAIGHT_JOIN reference r ON r.reference_key = e.guard_key \
                 SET e.content_key = r.content_key, e.answered = r.balance_after",
                "ALTER TABLE entry ADD CONSTRAINT entry_guard_whole CHECK ({whole}), \
                 ADD UNIQUE INDEX entry_guard (guard_key)",
            ],
        )
        .await?;
    }
    execute(db, &["DROP TABLE IF EXISTS reference"]).await
}

/// Whether one of MySQL's catalogues has a matching column or index of the table of entries.
async fn there(db: &DatabaseExecutor<'_>, catalogue: &str, what: &str) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 FROM information_schema.{catalogue} \
         WHERE table_schema = DATABASE() AND table_name = 'entry' AND {what} LIMIT 1"
    );
    let found = Statement::from_string(DbBackend::MySql, sql);
    Ok(db.query_one_raw(found).await?.is_some())
}

/// SQLite cannot add a constraint to a table.
async fn sqlite(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    execute(
        db,
        &[
            "CREATE TABLE entry_guarded (account_id bigint NOT NULL REFERENCES account (id), seq bigint NOT NULL CHECK (seq >= 1), \
             at bigint NOT NULL, kind bigint NOT NULL, amount bigint NOT NULL CHECK (amount <> 0), \
             balance_after bigint NOT NULL CHECK (balance_after >= 0), counter varchar(16) NOT NULL, \
             direction bigint NOT NULL CHECK (direction IN (1, 2)), direction_seq bigint NOT NULL, \
             reference varchar(128), message varchar(255), operator bigint, guard_key blob(16), \
             hash blob(32) NOT NULL, content_key blob(16), answered bigint, \
             PRIMARY KEY (account_id, seq), CHECK ({whole})) WITHOUT ROWID",
            "INSERT INTO entry_guarded SELECT e.account_id, e.seq, e.at, e.kind, e.amount, e.balance_after, e.counter, \
             e.direction, e.direction_seq, e.reference, e.message, e.operator, e.guard_key, e.hash, r.content_key, r.balance_after \
             FROM entry e LEFT JOIN reference r ON r.reference_key = e.guard_key ORDER BY e.account_id, e.seq",
            "DROP TABLE entry",
            "ALTER TABLE entry_guarded RENAME TO entry",
            "CREATE UNIQUE INDEX entry_direction ON entry (account_id, direction, direction_seq)",
            "CREATE UNIQUE INDEX entry_guard ON entry (guard_key)",
            "DROP TABLE reference",
        ],
    )
    .await
}
