//! Member status: more of the profile, the avatar's light, follows, payments, and the messages that changed a member.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::{kept, required, text};

#[derive(DeriveIden)]
enum Member {
    Table,
    Id,
    Location,
    Height,
    BeginWeight,
    LightUntil,
}

#[derive(DeriveIden)]
enum Follow {
    Table,
    MemberId,
    Account,
    At,
}

#[derive(DeriveIden)]
enum Payment {
    Table,
    EventId,
    ChargeId,
    Kind,
    Object,
    OrderNo,
    Amount,
    AmountSettle,
    Currency,
    Channel,
    TransactionNo,
    UserKey,
    Created,
    TimePaid,
    At,
}

#[derive(DeriveIden)]
#[expect(clippy::enum_variant_names, reason = "the columns' names")]
enum Message {
    Table,
    MessageKey,
    At,
    Answer,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    // SQLite adds one column per statement.
    for mut column in [
        text(Member::Location, 255),
        text(Member::Height, 16),
        text(Member::BeginWeight, 16),
        number(Member::LightUntil),
    ] {
        let table = Table::alter()
            .table(Member::Table)
            .add_column(&mut column)
            .to_owned();
        db.execute(&table).await?;
    }
    let database = db.get_database_backend();
    for table in [follow(), payment(), message()] {
        db.execute(&kept(table, database, true)).await?;
    }
    let orders = Index::create()
        .name("payment_order")
        .table(Payment::Table)
        .col(Payment::OrderNo)
        .to_owned();
    db.execute(&orders).await?;
    Ok(())
}

fn number(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().to_owned()
}

fn follow() -> TableCreateStatement {
    Table::create()
        .table(Follow::Table)
        .col(ColumnDef::new(Follow::MemberId).big_integer().not_null())
        .col(required(Follow::Account, 16))
        .col(ColumnDef::new(Follow::At).big_integer().not_null())
        .primary_key(Index::create().col(Follow::MemberId).col(Follow::Account))
        .foreign_key(
            ForeignKey::create()
                .from(Follow::Table, Follow::MemberId)
                .to(Member::Table, Member::Id),
        )
        .to_owned()
}

fn payment() -> TableCreateStatement {
    Table::create()
        .table(Payment::Table)
        .col(required(Payment::EventId, 128).primary_key())
        // Set for a charge that succeeded and for nothing else, so that each has one row.
        .col(text(Payment::ChargeId, 128).unique_key())
        .col(required(Payment::Kind, 64))
        .col(text(Payment::Object, 128))
        .col(text(Payment::OrderNo, 128))
        .col(number(Payment::Amount))
        .col(number(Payment::AmountSettle))
        .col(text(Payment::Currency, 16))
        .col(text(Payment::Channel, 64))
        .col(text(Payment::TransactionNo, 128))
        .col(text(Payment::UserKey, 64))
        .col(number(Payment::Created))
        .col(number(Payment::TimePaid))
        .col(ColumnDef::new(Payment::At).big_integer().not_null())
        .to_owned()
}

fn message() -> TableCreateStatement {
    Table::create()
        .table(Message::Table)
        .col(
            ColumnDef::new(Message::MessageKey)
                .binary_len(16)
                .not_null()
                .primary_key(),
        )
        .col(ColumnDef::new(Message::At).big_integer().not_null())
        .col(ColumnDef::new(Message::Answer).text().not_null())
        .to_owned()
}
