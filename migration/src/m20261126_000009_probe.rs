//! The row that the readiness probe writes. It is as large as the changes of a small batch, because a full disk often still takes
//! one page.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::kept;

#[derive(DeriveIden)]
enum Probe {
    Table,
    Id,
    WrittenAt,
    Filler,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Probe::Table)
        .if_not_exists()
        .col(ColumnDef::new(Probe::Id).big_integer().not_null())
        .col(ColumnDef::new(Probe::WrittenAt).big_integer().not_null())
        .col(ColumnDef::new(Probe::Filler).text().not_null())
        .primary_key(Index::create().col(Probe::Id))
        .to_owned();
    let database = db.get_database_backend();
    db.execute(&kept(table, database, false)).await?;
    // MySQL commits each change of the schema by itself: a try that was cut off here goes on.
    db.execute(Query::delete().from_table(Probe::Table)).await?;
    let mut row = Query::insert();
    row.into_table(Probe::Table)
        .columns([Probe::Id, Probe::WrittenAt, Probe::Filler])
        .values_panic([1_i64.into(), 0_i64.into(), "".into()]);
    db.execute(&row).await?;
    Ok(())
}
