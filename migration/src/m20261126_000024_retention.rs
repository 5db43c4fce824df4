//! An action keeps what makes it itself when its details are erased, and expiry takes a lease instead of a lock in a long transaction.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr, DeriveIden};

use crate::{has_column, has_index, kept, required};

#[derive(DeriveIden)]
enum Action {
    Table,
    IdentityKey,
}

#[derive(DeriveIden)]
enum Lease {
    Table,
    Name,
    Holder,
    EndsAt,
}

#[derive(DeriveIden)]
enum AdvisoryLock {
    Table,
    Name,
}

const LEASE: &str = "expiry";

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    // MySQL commits each statement by itself: a try that was cut off here goes on.
    if !has_column(db, "action", "identity_key").await? {
        let column = ColumnDef::new(Action::IdentityKey).binary_len(16).take();
        let table = Table::alter()
            .table(Action::Table)
            .add_column(column)
            .take();
        db.execute(&table).await?;
    }
    // They find the oldest messages, and the oldest actions with details.
    let details = match db.get_database_backend() {
        DbBackend::MySql => "CREATE INDEX action_details ON action (identity_key, at)",
        _ => "CREATE INDEX action_details ON action (at) WHERE identity_key IS NULL",
    };
    let messages = "CREATE INDEX message_at ON message (at)";
    for (table, name, index) in [
        ("action", "action_details", details),
        ("message", "message_at", messages),
    ] {
        if !has_index(db, table, name).await? {
            db.execute_unprepared(index).await?;
        }
    }
    lease(db).await
}

async fn lease(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Lease::Table)
        .if_not_exists()
        .col(required(Lease::Name, 32).primary_key())
        .col(required(Lease::Holder, 64))
        .col(ColumnDef::new(Lease::EndsAt).big_integer().not_null())
        .take();
    db.execute(&kept(table, db.get_database_backend(), false))
        .await?;
    db.execute(Query::delete().from_table(Lease::Table)).await?;
    let mut rows = Query::insert();
    rows.into_table(Lease::Table)
        .columns([Lease::Name, Lease::Holder, Lease::EndsAt]);
    rows.values_panic([LEASE.into(), "".into(), 0.into()]);
    db.execute(&rows).await?;
    let old = Query::delete()
        .from_table(AdvisoryLock::Table)
        .and_where(Expr::col(AdvisoryLock::Name).eq(LEASE))
        .take();
    db.execute(&old).await?;
    Ok(())
}
