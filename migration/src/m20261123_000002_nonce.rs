//! Nonces that callers have spent. The time leads the key, so that new nonces are adjacent at the tree's end, and those to purge
//! at its beginning.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::kept;

#[derive(DeriveIden)]
#[expect(clippy::enum_variant_names, reason = "the columns' names")]
enum Nonce {
    Table,
    At,
    NonceKey,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Nonce::Table)
        .col(ColumnDef::new(Nonce::At).big_integer().not_null())
        .col(ColumnDef::new(Nonce::NonceKey).binary_len(16).not_null())
        .primary_key(Index::create().col(Nonce::At).col(Nonce::NonceKey))
        .to_owned();
    let database = db.get_database_backend();
    db.execute(&kept(table, database, false)).await?;
    Ok(())
}
