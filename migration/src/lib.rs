//! The database's schema: one file a change, applied in order at start-up and never edited once released.

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm;

mod m20261123_000001_ledger;
mod m20261123_000002_nonce;
mod m20261123_000003_member;
mod m20261123_000004_status;
mod m20261125_000005_counter_shard;
mod m20261125_000006_bytewise;
mod m20261125_000007_guard;
mod m20261126_000008_advisory_lock;
mod m20261126_000009_probe;

/// All changes, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_ledger::Migration),
            Box::new(m20261123_000002_nonce::Migration),
            Box::new(m20261123_000003_member::Migration),
            Box::new(m20261123_000004_status::Migration),
            Box::new(m20261125_000005_counter_shard::Migration),
            Box::new(m20261125_000006_bytewise::Migration),
            Box::new(m20261125_000007_guard::Migration),
            Box::new(m20261126_000008_advisory_lock::Migration),
            Box::new(m20261126_000009_probe::Migration),
        ]
    }
}

/// How MariaDB and MySQL compare texts byte by byte, each by its own name; their `utf8mb4_bin` takes no notice of blanks at
/// the end.
pub(crate) const BYTEWISE: &str = "/*M!100000 utf8mb4_nopad_bin */ /*!80000 utf8mb4_0900_bin */";

/// A table as its database is to keep it: in SQLite in its primary key's tree where it has no number of its own, which is
/// one page to write instead of two; in MySQL with texts that are compared byte by byte.
pub(crate) fn kept(
    mut table: TableCreateStatement,
    database: sea_orm::DbBackend,
    numbered: bool,
) -> TableCreateStatement {
    match database {
        sea_orm::DbBackend::Sqlite if !numbered => {
            table.extra("WITHOUT ROWID");
        }
        sea_orm::DbBackend::MySql => {
            table
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate(BYTEWISE);
        }
        _ => {}
    }
    table
}

/// A text of at most `length` characters, which may be unknown.
pub(crate) fn text(name: impl IntoIden, length: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(length).null().to_owned()
}

/// A text of at most `length` characters.
pub(crate) fn required(name: impl IntoIden, length: u32) -> ColumnDef {
    ColumnDef::new(name)
        .string_len(length)
        .not_null()
        .to_owned()
}
