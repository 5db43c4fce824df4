//! Nonces that callers have spent. The time comes first in the key: new ones stand together at the end of the tree, and
//! those whose time is over at its beginning.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
#[expect(clippy::enum_variant_names, reason = "the columns' names")]
enum Nonce {
    Table,
    At,
    NonceKey,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create()
            .table(Nonce::Table)
            .col(ColumnDef::new(Nonce::At).big_integer().not_null())
            .col(ColumnDef::new(Nonce::NonceKey).binary_len(16).not_null())
            .primary_key(Index::create().col(Nonce::At).col(Nonce::NonceKey))
            .to_owned();
        if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Sqlite {
            table.extra("WITHOUT ROWID");
        }
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Nonce::Table).to_owned())
            .await
    }
}
