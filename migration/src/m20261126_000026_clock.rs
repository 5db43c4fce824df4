//! The time that the ledger has seen, against which the clock of a start is compared.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::kept;

#[derive(DeriveIden)]
enum Clock {
    Table,
    Id,
    SeenAt,
    DatabaseAhead,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Clock::Table)
        .if_not_exists()
        .col(
            ColumnDef::new(Clock::Id)
                .big_integer()
                .not_null()
                .primary_key(),
        )
        .col(ColumnDef::new(Clock::SeenAt).big_integer())
        .col(
            ColumnDef::new(Clock::DatabaseAhead)
                .big_integer()
                .not_null(),
        )
        .take();
    db.execute(&kept(table, db.get_database_backend(), false))
        .await?;
    // MySQL commits each statement by itself: a try that was cut off here goes on.
    db.execute(Query::delete().from_table(Clock::Table)).await?;
    let row = Query::insert()
        .into_table(Clock::Table)
        .columns([Clock::Id, Clock::SeenAt, Clock::DatabaseAhead])
        .values_panic([1.into(), Option::<i64>::None.into(), 0.into()])
        .take();
    db.execute(&row).await?;
    Ok(())
}
