//! A name leads to an owner for one asset, or for every asset that has no row of its own.

use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr};

use crate::has_column;

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    // MySQL commits each statement by itself: a try that was cut off after this one is done.
    if has_column(db, "identity", "asset").await? {
        return Ok(());
    }
    let statements: &[&str] = match db.get_database_backend() {
        DbBackend::Postgres => &[
            "ALTER TABLE identity ADD COLUMN asset varchar(16) NOT NULL DEFAULT '', \
             DROP CONSTRAINT alias_pkey, ADD CONSTRAINT identity_pkey PRIMARY KEY (name, asset)",
        ],
        DbBackend::MySql => &[
            "ALTER TABLE identity ADD COLUMN asset varchar(16) NOT NULL DEFAULT '', \
             DROP PRIMARY KEY, ADD PRIMARY KEY (name, asset)",
        ],
        // SQLite cannot change a primary key.
        _ => &[
            "CREATE TABLE identity_of_asset (name varchar(260) NOT NULL, asset varchar(16) NOT NULL DEFAULT '', \
             owner varchar(260) NOT NULL, PRIMARY KEY (name, asset)) WITHOUT ROWID",
            "INSERT INTO identity_of_asset (name, owner) SELECT name, owner FROM identity",
            "DROP TABLE identity",
            "ALTER TABLE identity_of_asset RENAME TO identity",
        ],
    };
    for statement in statements {
        db.execute_unprepared(statement).await?;
    }
    Ok(())
}
