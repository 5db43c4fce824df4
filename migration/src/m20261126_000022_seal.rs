//! Seals: the log of day records, the states of accounts in them, and the lock under which the log grows.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::{add_lock, kept};

#[derive(DeriveIden)]
enum Seal {
    Table,
    Number,
    Record,
    Totals,
    Note,
    Secret,
}

#[derive(DeriveIden)]
enum SealedAccount {
    Table,
    AccountId,
    Seal,
    Seq,
    State,
}

const LOCK: &str = "seal";

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let database = db.get_database_backend();
    let text = |name| ColumnDef::new(name).text().not_null().take();
    let seals = Table::create()
        .table(Seal::Table)
        .if_not_exists()
        .col(
            ColumnDef::new(Seal::Number)
                .big_integer()
                .not_null()
                .primary_key(),
        )
        .col(text(Seal::Record))
        .col(text(Seal::Totals))
        .col(text(Seal::Note))
        .col(ColumnDef::new(Seal::Secret).binary_len(32).not_null())
        .check(Expr::col(Seal::Number).gt(0))
        .take();
    db.execute(&kept(seals, database, false)).await?;
    let number = |name| ColumnDef::new(name).big_integer().not_null().take();
    let accounts = Table::create()
        .table(SealedAccount::Table)
        .if_not_exists()
        .col(number(SealedAccount::AccountId))
        .col(number(SealedAccount::Seal))
        .col(number(SealedAccount::Seq))
        .col(
            ColumnDef::new(SealedAccount::State)
                .binary_len(32)
                .not_null(),
        )
        .primary_key(
            Index::create()
                .col(SealedAccount::AccountId)
                .col(SealedAccount::Seal),
        )
        .foreign_key(
            ForeignKey::create()
                .from(SealedAccount::Table, SealedAccount::Seal)
                .to(Seal::Table, Seal::Number),
        )
        .check(Expr::col(SealedAccount::Seq).gt(0))
        .take();
    db.execute(&kept(accounts, database, false)).await?;
    add_lock(db, LOCK).await
}
