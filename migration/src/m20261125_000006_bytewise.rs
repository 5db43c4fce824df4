//! MySQL's tables tell texts apart that differ only in trailing blanks, as every other database does.

use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr, Statement};

use crate::BYTEWISE;

/// The tables with MySQL's default binary collation, which ignores trailing blanks.
const PADDED: &str = "SELECT table_name FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_collation = 'utf8mb4_bin'";

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::MySql {
        return Ok(());
    }
    let padded = Statement::from_string(DbBackend::MySql, PADDED);
    for row in db.query_all_raw(padded).await? {
        let table: String = row.try_get_by_index(0)?;
        let convert =
            format!("ALTER TABLE `{table}` CONVERT TO CHARACTER SET utf8mb4 COLLATE {BYTEWISE}");
        db.execute_unprepared(&convert).await?;
    }
    Ok(())
}
