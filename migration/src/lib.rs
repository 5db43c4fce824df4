//! The database's schema: one file a change, applied in order at start-up and never edited once released.

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261123_000001_ledger;
mod m20261123_000002_nonce;
mod m20261123_000003_member;
mod m20261123_000004_status;

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
        ]
    }
}
