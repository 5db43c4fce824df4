//! A tally: how many rows a table has, and a checksum over them.

use sea_orm::entity::prelude::*;

/// A part of a table's tally. The sum of all parts is what the table's rows come to.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tally")]
pub struct Model {
    /// The table: `action`, `daily_limit_slot`, `nonce` or `payment`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The number of this part. Each writer has parts of its own, so that writers do not wait for each other.
    #[sea_orm(primary_key, auto_increment = false)]
    pub shard: i64,
    /// Rows added less rows removed.
    pub row_count: i64,
    /// The first four bytes of the hash of each row added, less those of each row removed.
    pub checksum: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
