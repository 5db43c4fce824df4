//! Rows for instances to lock on a database whose advisory locks do not hold across a cluster.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::{kept, required};

#[derive(DeriveIden)]
enum AdvisoryLock {
    Table,
    Name,
}

const NAMES: [&str; 2] = ["identities", "expiry"];

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(AdvisoryLock::Table)
        .if_not_exists()
        .col(required(AdvisoryLock::Name, 32))
        .primary_key(Index::create().col(AdvisoryLock::Name))
        .to_owned();
    let database = db.get_database_backend();
    db.execute(&kept(table, database, false)).await?;
    // MySQL commits each change of the schema by itself: a try that was cut off here goes on.
    db.execute(Query::delete().from_table(AdvisoryLock::Table))
        .await?;
    let mut rows = Query::insert();
    rows.into_table(AdvisoryLock::Table)
        .columns([AdvisoryLock::Name]);
    for name in NAMES {
        rows.values_panic([name.into()]);
    }
    db.execute(&rows).await?;
    Ok(())
}
