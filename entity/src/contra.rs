//! A contra account: the other side of every entry, so that all balances together are zero.

use sea_orm::entity::prelude::*;

/// The company's side of an asset: points issued, redeemed or expired.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contra")]
pub struct Model {
    /// The asset, such as `coin`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub asset: String,
    /// `issued`, `redeemed` or, for expired points, `lapsed`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The number of this row. Each writer has rows of its own, so that writers do not wait for each other; the contra account's
    /// balance is the sum of its rows.
    #[sea_orm(primary_key, auto_increment = false)]
    pub shard: i64,
    /// Points: minus what its entries brought to members.
    pub balance: i64,
    /// The number of its entries.
    pub entries: i64,
    /// The sum of the first four bytes of its entries' hashes.
    pub checksum: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
