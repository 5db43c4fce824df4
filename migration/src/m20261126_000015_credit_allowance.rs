//! What callers' transactions have earned of their allowances.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::kept;

#[derive(DeriveIden)]
enum CreditAllowance {
    Table,
    Id,
    ExpiresAt,
    AllowanceKey,
    Used,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let number = |name| ColumnDef::new(name).big_integer().not_null().take();
    let table = Table::create()
        .table(CreditAllowance::Table)
        .if_not_exists()
        .col(number(CreditAllowance::Id).auto_increment().primary_key())
        .col(number(CreditAllowance::ExpiresAt))
        .col(
            ColumnDef::new(CreditAllowance::AllowanceKey)
                .binary_len(16)
                .not_null(),
        )
        .col(number(CreditAllowance::Used))
        .check(Expr::col(CreditAllowance::Used).gte(0))
        .index(
            Index::create()
                .unique()
                .name("credit_allowance_key")
                .col(CreditAllowance::ExpiresAt)
                .col(CreditAllowance::AllowanceKey),
        )
        .take();
    let database = db.get_database_backend();
    db.execute(&kept(table, database, true)).await?;
    Ok(())
}
