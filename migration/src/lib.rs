//! The database's schema: one file for each migration, applied in order at start-up and never edited once released.

use std::collections::HashSet;
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use sea_orm::sea_query::{Alias, ColumnDef, Expr, Query, Table};
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, IntoDatabaseExecutor};

mod m20261123_000001_ledger;
mod m20261123_000002_nonce;
mod m20261123_000003_member;
mod m20261123_000004_status;
mod m20261125_000005_counter_shard;
mod m20261125_000006_bytewise;
mod m20261125_000007_guard;
mod m20261126_000008_advisory_lock;
mod m20261126_000009_probe;
mod m20261126_000010_daily_limit_slot;
mod m20261126_000011_standard_names;
mod m20261126_000012_nonce_fingerprint;
mod m20261126_000013_payment_subject;
mod m20261126_000015_credit_allowance;
mod m20261126_000016_message_fingerprint;
mod m20261126_000019_key_use;
mod m20261126_000020_journal;
mod m20261126_000021_entry_format;
mod m20261126_000022_seal;
mod m20261126_000023_frozen_owner;
mod m20261126_000024_retention;
mod m20261126_000025_identity_asset;
mod m20261126_000026_clock;
mod m20261126_000027_tally;
mod schema;

pub(crate) use schema::{
    BYTEWISE, add_lock, has_column, has_index, has_table, kept, required, text,
};

/// The ledger's record of its migrations: `version` names one, `applied_at` is in Unix seconds. The table is the one that
/// SeaORM's own migrator keeps, which earlier versions of this program used.
const TABLE: &str = "seaql_migrations";

type Applying<'a> = Pin<Box<dyn Future<Output = Result<(), DbErr>> + Send + 'a>>;

struct Migration {
    version: &'static str,
    up: for<'a> fn(&'a DatabaseExecutor<'_>) -> Applying<'a>,
}

/// Takes a migration's version from the name of its module.
macro_rules! migrations {
    ($($module:ident),+ $(,)?) => {
        [$(Migration { version: stringify!($module), up: |db| Box::pin($module::up(db)) }),+]
    };
}

/// All migrations, oldest first.
const MIGRATIONS: &[Migration] = &migrations![
    m20261123_000001_ledger,
    m20261123_000002_nonce,
    m20261123_000003_member,
    m20261123_000004_status,
    m20261125_000005_counter_shard,
    m20261125_000006_bytewise,
    m20261125_000007_guard,
    m20261126_000008_advisory_lock,
    m20261126_000009_probe,
    m20261126_000010_daily_limit_slot,
    m20261126_000011_standard_names,
    m20261126_000012_nonce_fingerprint,
    m20261126_000013_payment_subject,
    m20261126_000015_credit_allowance,
    m20261126_000016_message_fingerprint,
    m20261126_000019_key_use,
    m20261126_000020_journal,
    m20261126_000021_entry_format,
    m20261126_000022_seal,
    m20261126_000023_frozen_owner,
    m20261126_000024_retention,
    m20261126_000025_identity_asset,
    m20261126_000026_clock,
    m20261126_000027_tally,
];

/// Brings the schema up to date: applies each migration that the ledger has not recorded, and records it.
///
/// On SQLite and PostgreSQL a transaction as `db` makes that all or nothing. MySQL and MariaDB commit each change of the
/// schema by itself; a migration that may be cut off there checks which of its steps are done.
///
/// # Errors
/// Returns [`DbErr`] if a statement fails, or if the ledger has a migration of a newer program.
pub async fn up<'c>(db: impl IntoDatabaseExecutor<'c>) -> Result<(), DbErr> {
    up_to(db, MIGRATIONS.len()).await
}

/// Does what [`up`] does, but stops after the first `count` migrations: an older program's ledger.
///
/// # Errors
/// As [`up`].
pub async fn up_to<'c>(db: impl IntoDatabaseExecutor<'c>, count: usize) -> Result<(), DbErr> {
    let db = &db.into_database_executor();
    create_record(db).await?;
    let applied = applied(db).await?;
    refuse_newer(&applied)?;
    for migration in MIGRATIONS.iter().take(count) {
        if !applied.contains(migration.version) {
            (migration.up)(db).await?;
            record(db, migration.version).await?;
        }
    }
    Ok(())
}

/// Checks that the ledger has exactly the migrations of this program, and changes nothing.
///
/// # Errors
/// Returns [`DbErr`] if there is no ledger, if it is of another version of this program, or if a statement fails.
pub async fn check<'c>(db: impl IntoDatabaseExecutor<'c>) -> Result<(), DbErr> {
    let db = &db.into_database_executor();
    if !has_table(db, TABLE).await? {
        return Err(DbErr::Migration(format!(
            "there is no ledger, or this user may not read it: it has no table {TABLE}"
        )));
    }
    let applied = applied(db).await?;
    refuse_newer(&applied)?;
    let missing = |migration: &&Migration| !applied.contains(migration.version);
    match MIGRATIONS.iter().find(missing) {
        None => Ok(()),
        Some(Migration { version, .. }) => Err(DbErr::Migration(format!(
            "the ledger is of an older version of this program: it lacks the migration {version}; bring it up to date with \
             `pointgate migrate`, or read it with the version that wrote it"
        ))),
    }
}

/// Refuses a ledger with a migration that this program does not know.
fn refuse_newer(applied: &HashSet<String>) -> Result<(), DbErr> {
    let known = |version: &str| MIGRATIONS.iter().any(|known| known.version == version);
    match applied.iter().find(|version| !known(version)) {
        None => Ok(()),
        Some(newer) => Err(DbErr::Migration(format!(
            "the ledger is of a newer version of this program: it has the migration {newer}; use that version"
        ))),
    }
}

/// Makes the record of migrations, if there is none.
async fn create_record(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let mut version = ColumnDef::new(Alias::new("version"));
    let mut applied_at = ColumnDef::new(Alias::new("applied_at"));
    let table = Table::create()
        .table(TABLE)
        .if_not_exists()
        .col(version.string().not_null().primary_key())
        .col(applied_at.big_integer().not_null())
        .take();
    db.execute(&table).await?;
    Ok(())
}

/// The versions that the ledger has recorded.
async fn applied(db: &DatabaseExecutor<'_>) -> Result<HashSet<String>, DbErr> {
    let versions = Query::select().column("version").from(TABLE).take();
    let rows = db.query_all(&versions).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

async fn record(db: &DatabaseExecutor<'_>, version: &str) -> Result<(), DbErr> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs().cast_signed());
    let row = Query::insert()
        .into_table(TABLE)
        .columns(["version", "applied_at"])
        .values_panic([Expr::val(version), Expr::val(now)])
        .take();
    db.execute(&row).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sea_orm::{Database, DatabaseConnection, DbBackend, Statement, TransactionTrait};

    use super::*;

    /// The table as SeaORM's own migrator makes it.
    const SEAORM: &str = r#"CREATE TABLE IF NOT EXISTS "seaql_migrations" ( "version" varchar NOT NULL PRIMARY KEY, "applied_at" integer NOT NULL )"#;

    async fn database() -> DatabaseConnection {
        Database::connect("sqlite::memory:").await.unwrap()
    }

    async fn texts(db: &impl ConnectionTrait, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let rows = db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }

    async fn versions(db: &impl ConnectionTrait) -> Vec<String> {
        texts(db, "SELECT version FROM seaql_migrations ORDER BY 1").await
    }

    async fn schema(db: &impl ConnectionTrait) -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1";
        texts(db, sql).await
    }

    #[tokio::test]
    async fn each_migration_applies_once_in_order() {
        let all: Vec<_> = MIGRATIONS.iter().map(|known| known.version).collect();
        assert!(all.is_sorted());
        let db = database().await;
        for count in 0..=all.len() {
            up_to(&db, count).await.unwrap();
            assert_eq!(versions(&db).await, all[..count]);
        }
        let made = schema(&db).await;
        up(&db).await.unwrap();
        assert_eq!(versions(&db).await, all);
        assert_eq!(schema(&db).await, made);
        let since = "SELECT CAST(MIN(applied_at) > 1700000000 AS text) FROM seaql_migrations";
        assert_eq!(texts(&db, since).await, ["1"]);
    }

    #[tokio::test]
    async fn a_ledger_that_seaorm_migrated_goes_on() {
        let new = database().await;
        up(&new).await.unwrap();
        let older = database().await;
        up_to(&older, 3).await.unwrap();
        let recorded = format!(
            "DROP TABLE seaql_migrations; {SEAORM}; INSERT INTO seaql_migrations VALUES \
             ('m20261123_000001_ledger', 1), ('m20261123_000002_nonce', 2), ('m20261123_000003_member', 3)"
        );
        older.execute_unprepared(&recorded).await.unwrap();
        up(&older).await.unwrap();
        assert_eq!(versions(&older).await, versions(&new).await);
        assert_eq!(schema(&older).await, schema(&new).await);
        assert!(
            schema(&new)
                .await
                .contains(&SEAORM.replace(" IF NOT EXISTS", ""))
        );
    }

    #[tokio::test]
    async fn a_ledger_of_a_newer_program_is_left_alone() {
        let db = database().await;
        up_to(&db, 2).await.unwrap();
        let newer = "INSERT INTO seaql_migrations VALUES ('m29991231_000001_newer', 1)";
        db.execute_unprepared(newer).await.unwrap();
        let before = schema(&db).await;
        let error = up(&db).await.unwrap_err().to_string();
        assert!(error.contains("m29991231_000001_newer"), "{error}");
        assert_eq!(schema(&db).await, before);
    }

    #[tokio::test]
    async fn a_check_takes_the_ledger_of_this_version_alone_and_changes_nothing() {
        let db = database().await;
        for (count, next) in MIGRATIONS.iter().enumerate() {
            let before = schema(&db).await;
            let error = check(&db).await.unwrap_err().to_string();
            let why = match count {
                0 => "there is no ledger".to_owned(),
                _ => format!("it lacks the migration {};", next.version),
            };
            assert!(error.contains(&why), "{error}");
            assert_eq!(schema(&db).await, before);
            up_to(&db, count + 1).await.unwrap();
        }
        check(&db).await.unwrap();
        let newer = "INSERT INTO seaql_migrations VALUES ('m29991231_000001_newer', 1)";
        db.execute_unprepared(newer).await.unwrap();
        let error = check(&db).await.unwrap_err().to_string();
        assert!(
            error.contains("m29991231_000001_newer; use that version"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_transaction_takes_all_migrations_or_none() {
        let db = database().await;
        // In the way of the fourth migration.
        db.execute_unprepared("CREATE TABLE payment (x)")
            .await
            .unwrap();
        let before = schema(&db).await;
        let transaction = db.begin().await.unwrap();
        up(&transaction).await.unwrap_err();
        assert!(schema(&transaction).await.len() > before.len());
        transaction.rollback().await.unwrap();
        assert_eq!(schema(&db).await, before);
    }
}
