//! Daily limits get a table of their own, in every database, and actions lose the answer that a dialect stored in them.
//!
//! Slots that actions took before stay in `nonce` until they are purged: a key does not say what it stands for. No limit is
//! exceeded by that: writers count the recorded actions, and a slot only decides between two writers that count at once.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::{has_column, kept};

#[derive(DeriveIden)]
enum DailyLimitSlot {
    Table,
    ExpiresAt,
    SlotKey,
}

#[derive(DeriveIden)]
enum Action {
    Table,
    Answer,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(DailyLimitSlot::Table)
        .if_not_exists()
        .col(
            ColumnDef::new(DailyLimitSlot::ExpiresAt)
                .big_integer()
                .not_null(),
        )
        .col(
            ColumnDef::new(DailyLimitSlot::SlotKey)
                .binary_len(16)
                .not_null(),
        )
        .primary_key(
            Index::create()
                .col(DailyLimitSlot::ExpiresAt)
                .col(DailyLimitSlot::SlotKey),
        )
        .to_owned();
    let database = db.get_database_backend();
    db.execute(&kept(table, database, false)).await?;
    // MySQL commits each change of the schema by itself: a try that was cut off here goes on.
    if has_column(db, "action", "answer").await? {
        let answer = Table::alter()
            .table(Action::Table)
            .drop_column(Action::Answer)
            .to_owned();
        db.execute(&answer).await?;
    }
    Ok(())
}
