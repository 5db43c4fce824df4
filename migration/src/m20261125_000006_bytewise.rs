//! Texts that differ only in blanks at the end are two in MySQL's tables too, as they are in every other database.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{self, ConnectionTrait, DbBackend};

use crate::BYTEWISE;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The tables that were made before `BYTEWISE` was.
const PADDED: &str = "SELECT table_name FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_collation = 'utf8mb4_bin'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::MySql {
            return Ok(());
        }
        let db = manager.get_connection();
        let padded = sea_orm::Statement::from_string(DbBackend::MySql, PADDED);
        for row in db.query_all_raw(padded).await? {
            let table: String = row.try_get_by_index(0)?;
            let convert = format!(
                "ALTER TABLE `{table}` CONVERT TO CHARACTER SET utf8mb4 COLLATE {BYTEWISE}"
            );
            db.execute_unprepared(&convert).await?;
        }
        Ok(())
    }

    /// What has come to differ in blanks alone could not be one again.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
