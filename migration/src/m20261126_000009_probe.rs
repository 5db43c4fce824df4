//! The row that a readiness probe writes, as large as the changes of a small batch: a full disk often still takes one page.

use sea_orm_migration::prelude::*;

use crate::kept;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Probe {
    Table,
    Id,
    WrittenAt,
    Filler,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Probe::Table)
            .if_not_exists()
            .col(ColumnDef::new(Probe::Id).big_integer().not_null())
            .col(ColumnDef::new(Probe::WrittenAt).big_integer().not_null())
            .col(ColumnDef::new(Probe::Filler).text().not_null())
            .primary_key(Index::create().col(Probe::Id))
            .to_owned();
        let database = manager.get_database_backend();
        manager.create_table(kept(table, database, false)).await?;
        // MySQL commits each change of the schema by itself: a first start that was cut off here goes on.
        let db = manager.get_connection();
        db.execute(Query::delete().from_table(Probe::Table)).await?;
        let mut row = Query::insert();
        row.into_table(Probe::Table)
            .columns([Probe::Id, Probe::WrittenAt, Probe::Filler])
            .values_panic([1_i64.into(), 0_i64.into(), "".into()]);
        db.execute(&row).await.map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Probe::Table).to_owned())
            .await
    }
}
