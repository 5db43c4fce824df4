//! When callers' keys were last used.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::kept;

#[derive(DeriveIden)]
enum KeyUse {
    Table,
    UseKey,
    Since,
    UsedAt,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(KeyUse::Table)
        .if_not_exists()
        .col(
            ColumnDef::new(KeyUse::UseKey)
                .binary_len(16)
                .not_null()
                .primary_key(),
        )
        .col(ColumnDef::new(KeyUse::Since).big_integer().not_null())
        .col(ColumnDef::new(KeyUse::UsedAt).big_integer())
        .take();
    let database = db.get_database_backend();
    db.execute(&kept(table, database, false)).await?;
    Ok(())
}
