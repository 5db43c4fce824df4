//! Owners whose accounts are frozen.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::{kept, required};

#[derive(DeriveIden)]
enum FrozenOwner {
    Table,
    Owner,
    Scope,
    Since,
    Record,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let number = |name| ColumnDef::new(name).big_integer().not_null().take();
    let table = Table::create()
        .table(FrozenOwner::Table)
        .if_not_exists()
        .col(required(FrozenOwner::Owner, 260).primary_key())
        .col(number(FrozenOwner::Scope))
        .col(number(FrozenOwner::Since))
        .col(number(FrozenOwner::Record))
        .check(Expr::col(FrozenOwner::Scope).is_in([1, 2]))
        .take();
    let database = db.get_database_backend();
    db.execute(&kept(table, database, false)).await?;
    Ok(())
}
