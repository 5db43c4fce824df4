//! What migrations ask of a schema, and what their tables have in common.

use sea_orm::sea_query::{ColumnDef, Expr, ExprTrait, IntoIden, Query, TableCreateStatement};
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr, Statement};

/// The collation that compares texts byte by byte, under MariaDB's and MySQL's names for it. Their `utf8mb4_bin` ignores trailing
/// blanks.
pub(crate) const BYTEWISE: &str = "/*M!100000 utf8mb4_nopad_bin */ /*!80000 utf8mb4_0900_bin */";

/// Adds a database's own options to a table. In SQLite, a table without a number of its own lives in its primary key's tree, which
/// is one page to write instead of two. In MySQL, texts are compared byte by byte.
pub(crate) fn kept(
    mut table: TableCreateStatement,
    database: DbBackend,
    numbered: bool,
) -> TableCreateStatement {
    match database {
        DbBackend::Sqlite if !numbered => {
            table.extra("WITHOUT ROWID");
        }
        DbBackend::MySql => {
            table
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate(BYTEWISE);
        }
        _ => {}
    }
    table
}

/// Whether there is a table that this user may read.
pub(crate) async fn has_table(db: &DatabaseExecutor<'_>, table: &str) -> Result<bool, DbErr> {
    let database = db.get_database_backend();
    let sql = match database {
        DbBackend::Sqlite => format!("SELECT 1 FROM sqlite_schema WHERE name = '{table}'"),
        _ => {
            let schema = current_schema(database);
            format!(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = {schema} AND table_name = '{table}'"
            )
        }
    };
    let found = Statement::from_string(database, sql);
    Ok(db.query_one_raw(found).await?.is_some())
}

/// The function that names the schema of the ledger's tables, on a database server.
fn current_schema(database: DbBackend) -> &'static str {
    match database {
        DbBackend::Postgres => "current_schema()",
        _ => "DATABASE()",
    }
}

/// Whether a table has a column.
pub(crate) async fn has_column(
    db: &DatabaseExecutor<'_>,
    table: &str,
    column: &str,
) -> Result<bool, DbErr> {
    let database = db.get_database_backend();
    let sql = match database {
        DbBackend::Sqlite => {
            format!("SELECT 1 FROM pragma_table_info('{table}') WHERE name = '{column}'")
        }
        _ => {
            let schema = current_schema(database);
            format!(
                "SELECT 1 FROM information_schema.columns WHERE table_schema = {schema} \
                 AND table_name = '{table}' AND column_name = '{column}'"
            )
        }
    };
    let found = Statement::from_string(database, sql);
    Ok(db.query_one_raw(found).await?.is_some())
}

/// Whether MySQL has an index already. Other databases take all steps of a migration or none.
pub(crate) async fn has_index(
    db: &DatabaseExecutor<'_>,
    table: &str,
    index: &str,
) -> Result<bool, DbErr> {
    if db.get_database_backend() != DbBackend::MySql {
        return Ok(false);
    }
    let sql = format!(
        "SELECT 1 FROM information_schema.statistics \
         WHERE table_schema = DATABASE() AND table_name = '{table}' AND index_name = '{index}' LIMIT 1"
    );
    let found = Statement::from_string(DbBackend::MySql, sql);
    Ok(db.query_one_raw(found).await?.is_some())
}

/// Adds the row of an advisory lock. MySQL commits each statement by itself, so that a try which was cut off may have added it.
pub(crate) async fn add_lock(db: &DatabaseExecutor<'_>, name: &str) -> Result<(), DbErr> {
    let rest = Query::delete()
        .from_table("advisory_lock")
        .and_where(Expr::col("name").eq(name))
        .take();
    db.execute(&rest).await?;
    let row = Query::insert()
        .into_table("advisory_lock")
        .columns(["name"])
        .values_panic([Expr::val(name)])
        .take();
    db.execute(&row).await?;
    Ok(())
}

/// A nullable text of at most `length` characters.
pub(crate) fn text(name: impl IntoIden, length: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(length).null().to_owned()
}

/// A text of at most `length` characters.
pub(crate) fn required(name: impl IntoIden, length: u32) -> ColumnDef {
    ColumnDef::new(name)
        .string_len(length)
        .not_null()
        .to_owned()
}
