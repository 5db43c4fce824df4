//! The journal: what operators changed beside points, chained by hash; with the lock under which it grows.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::{add_lock, kept, required};

#[derive(DeriveIden)]
enum Journal {
    Table,
    Number,
    At,
    Kind,
    Operator,
    RequestId,
    Details,
    Hash,
}

const LOCK: &str = "journal";

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let number = |name| ColumnDef::new(name).big_integer().not_null().take();
    let table = Table::create()
        .table(Journal::Table)
        .if_not_exists()
        .col(number(Journal::Number).primary_key())
        .col(number(Journal::At))
        .col(required(Journal::Kind, 32))
        .col(required(Journal::Operator, 64))
        .col(required(Journal::RequestId, 64))
        .col(ColumnDef::new(Journal::Details).text().not_null())
        .col(ColumnDef::new(Journal::Hash).binary_len(32).not_null())
        .check(Expr::col(Journal::Number).gt(0))
        .take();
    let database = db.get_database_backend();
    db.execute(&kept(table, database, false)).await?;
    add_lock(db, LOCK).await
}
