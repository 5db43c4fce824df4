//! A nonce gets the fingerprint of the content that may use it again, so that one signature of the community has one reading.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::has_column;

#[derive(DeriveIden)]
enum Nonce {
    Table,
    Fingerprint,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    // MySQL commits each change of the schema by itself: a try that was cut off here goes on.
    if has_column(db, "nonce", "fingerprint").await? {
        return Ok(());
    }
    let column = ColumnDef::new(Nonce::Fingerprint).binary_len(16).take();
    let table = Table::alter().table(Nonce::Table).add_column(column).take();
    db.execute(&table).await?;
    Ok(())
}
