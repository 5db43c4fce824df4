//! Rows that instances lock where the database has no advisory locks that hold across a cluster.

use sea_orm_migration::prelude::*;

use crate::{kept, required};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum AdvisoryLock {
    Table,
    Name,
}

const NAMES: [&str; 2] = ["identities", "expiry"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(AdvisoryLock::Table)
            .if_not_exists()
            .col(required(AdvisoryLock::Name, 32))
            .primary_key(Index::create().col(AdvisoryLock::Name))
            .to_owned();
        let database = manager.get_database_backend();
        manager.create_table(kept(table, database, false)).await?;
        // MySQL commits each change of the schema by itself: a first start that was cut off here goes on.
        let db = manager.get_connection();
        db.execute(Query::delete().from_table(AdvisoryLock::Table))
            .await?;
        let mut rows = Query::insert();
        rows.into_table(AdvisoryLock::Table)
            .columns([AdvisoryLock::Name]);
        for name in NAMES {
            rows.values_panic([name.into()]);
        }
        db.execute(&rows).await.map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(AdvisoryLock::Table).to_owned())
            .await
    }
}
