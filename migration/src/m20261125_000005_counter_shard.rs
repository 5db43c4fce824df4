//! Counter accounts in several rows each, so that writers who work side by side do not wait for one another's row.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &[
                "ALTER TABLE counter ADD COLUMN shard bigint NOT NULL DEFAULT 0, \
                 DROP CONSTRAINT counter_pkey, ADD CONSTRAINT counter_pkey PRIMARY KEY (asset, name, shard)",
            ],
            DbBackend::MySql => &[
                "ALTER TABLE counter ADD COLUMN shard bigint NOT NULL DEFAULT 0, \
                 DROP PRIMARY KEY, ADD PRIMARY KEY (asset, name, shard)",
            ],
            // SQLite cannot change a key.
            _ => &[
                "CREATE TABLE counter_sharded (asset varchar(16) NOT NULL, name varchar(16) NOT NULL, \
                 shard bigint NOT NULL DEFAULT 0, balance bigint NOT NULL, PRIMARY KEY (asset, name, shard)) WITHOUT ROWID",
                "INSERT INTO counter_sharded (asset, name, balance) SELECT asset, name, balance FROM counter",
                "DROP TABLE counter",
                "ALTER TABLE counter_sharded RENAME TO counter",
            ],
        };
        for statement in statements {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}
