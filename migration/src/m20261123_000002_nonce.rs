//! Nonces that callers have spent. The time comes first in the key: new ones stand together at the end of the tree, and
//! those whose time is over at its beginning.

use sea_orm_migration::prelude::*;

use crate::kept;

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
        let table = Table::create()
            .table(Nonce::Table)
            .col(ColumnDef::new(Nonce::At).big_integer().not_null())
            .col(ColumnDef::new(Nonce::NonceKey).binary_len(16).not_null())
            .primary_key(Index::create().col(Nonce::At).col(Nonce::NonceKey))
            .to_owned();
        let database = manager.get_database_backend();
        manager.create_table(kept(table, database, false)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Nonce::Table).to_owned())
            .await
    }
}
