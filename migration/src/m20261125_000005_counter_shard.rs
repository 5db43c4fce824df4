//! Several rows for each contra account (`counter`), so that writers do not wait for each other's row.

use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr};

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let statements: &[&str] = match db.get_database_backend() {
        DbBackend::Postgres => &[
            "ALTER TABLE counter ADD COLUMN shard bigint NOT NULL DEFAULT 0, \
             DROP CONSTRAINT counter_pkey, ADD CONSTRAINT counter_pkey PRIMARY KEY (asset, name, shard)",
        ],
        DbBackend::MySql => &[
            "ALTER TABLE counter ADD COLUMN shard bigint NOT NULL DEFAULT 0, \
             DROP PRIMARY KEY, ADD PRIMARY KEY (asset, name, shard)",
        ],
        // SQLite cannot change a primary key.
        _ => &[
            "CREATE TABLE counter_sharded (asset varchar(16) NOT NULL, name varchar(16) NOT NULL, \
             shard bigint NOT NULL DEFAULT 0, balance bigint NOT NULL, PRIMARY KEY (asset, name, shard)) WITHOUT ROWID",
            "INSERT INTO counter_sharded (asset, name, balance) SELECT asset, name, balance FROM counter",
            "DROP TABLE counter",
            "ALTER TABLE counter_sharded RENAME TO counter",
        ],
    };
    for statement in statements {
        db.execute_unprepared(statement).await?;
    }
    Ok(())
}
