//! The tables, columns and indexes of the second format of entries.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr, DeriveIden};

use crate::{has_column, has_index, kept, required, text};

#[derive(DeriveIden)]
#[expect(clippy::enum_variant_names, reason = "the columns' names")]
enum Origin {
    Table,
    Id,
    OriginKey,
    Dialect,
    Caller,
    CallerKey,
    Address,
    AddressSalt,
    AddressHash,
}

#[derive(DeriveIden)]
enum Opening {
    Table,
    AccountId,
    Seq,
    Lots,
}

#[derive(DeriveIden)]
enum Account {
    Table,
    Id,
}

/// An entry of the second format states all of this.
const WHOLE: &str =
    "version = 1 OR (recorded_at IS NOT NULL AND origin_id IS NOT NULL AND lots IS NOT NULL)";

pub async fn add_tables(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let database = db.get_database_backend();
    let bytes = |name: Origin, length| ColumnDef::new(name).binary_len(length).take();
    let origin = Table::create()
        .table(Origin::Table)
        .if_not_exists()
        .col(
            ColumnDef::new(Origin::Id)
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(bytes(Origin::OriginKey, 16).not_null().unique_key())
        .col(required(Origin::Dialect, 16))
        .col(required(Origin::Caller, 520))
        .col(text(Origin::CallerKey, 16))
        .col(text(Origin::Address, 64))
        .col(bytes(Origin::AddressSalt, 16).null())
        .col(bytes(Origin::AddressHash, 32).null())
        .to_owned();
    db.execute(&kept(origin, database, true)).await?;
    let mut lots = ColumnDef::new(Opening::Lots);
    match database {
        DbBackend::MySql => lots.custom("mediumtext"),
        _ => lots.text(),
    };
    let opening = Table::create()
        .table(Opening::Table)
        .if_not_exists()
        .col(
            ColumnDef::new(Opening::AccountId)
                .big_integer()
                .not_null()
                .primary_key(),
        )
        .col(ColumnDef::new(Opening::Seq).big_integer().not_null())
        .col(lots.not_null())
        .foreign_key(
            ForeignKey::create()
                .from(Opening::Table, Opening::AccountId)
                .to(Account::Table, Account::Id),
        )
        .check(Expr::col(Opening::Seq).gte(1))
        .to_owned();
    db.execute(&kept(opening, database, false)).await?;
    Ok(())
}

/// The columns, of which the last one states the constraint: SQLite takes it with a column alone.
pub async fn add_columns(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let (id, long, key) = match db.get_database_backend() {
        DbBackend::Postgres => ("varchar(64)", "text", "bytea"),
        DbBackend::MySql => ("varchar(64)", "mediumtext", "binary(16)"),
        _ => ("varchar(64)", "text", "blob(16)"),
    };
    let whole = match db.get_database_backend() {
        // In MySQL, the constraint of a column names no other column.
        DbBackend::MySql => format!("{long}, ADD CONSTRAINT entry_whole CHECK ({WHOLE})"),
        _ => format!("{long} CHECK ({WHOLE})"),
    };
    let columns = [
        ("entry", "version", "bigint NOT NULL DEFAULT 1".to_owned()),
        ("entry", "recorded_at", "bigint".to_owned()),
        ("entry", "origin_id", "bigint".to_owned()),
        ("entry", "request_id", id.to_owned()),
        ("entry", "order_key", key.to_owned()),
        ("entry", "lots", whole),
        ("contra", "entries", "bigint NOT NULL DEFAULT 0".to_owned()),
        ("contra", "checksum", "bigint NOT NULL DEFAULT 0".to_owned()),
    ];
    for (table, name, kind) in columns {
        if !has_column(db, table, name).await? {
            let add = format!("ALTER TABLE {table} ADD COLUMN {name} {kind}");
            db.execute_unprepared(&add).await?;
        }
    }
    Ok(())
}

pub async fn add_indexes(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let database = db.get_database_backend();
    for (name, column) in [
        ("entry_order", "order_key"),
        ("entry_request", "request_id"),
    ] {
        if has_index(db, "entry", name).await? {
            continue;
        }
        let of_values = match database {
            DbBackend::MySql => String::new(),
            _ => format!(" WHERE {column} IS NOT NULL"),
        };
        let index = format!("CREATE INDEX {name} ON entry ({column}){of_values}");
        db.execute_unprepared(&index).await?;
    }
    Ok(())
}
