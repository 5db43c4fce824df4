//! A message's record gets the fingerprint of its content, so that another message under the same id is not taken for a redelivery.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::has_column;

#[derive(DeriveIden)]
enum Message {
    Table,
    Fingerprint,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    // MySQL commits each change of the schema by itself: a try that was cut off here goes on.
    if has_column(db, "message", "fingerprint").await? {
        return Ok(());
    }
    let column = ColumnDef::new(Message::Fingerprint).binary_len(16).take();
    let table = Table::alter()
        .table(Message::Table)
        .add_column(column)
        .take();
    db.execute(&table).await?;
    Ok(())
}
