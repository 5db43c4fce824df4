//! A counter account: the other side of every entry, so that all balances together are zero.

use sea_orm::entity::prelude::*;

/// The house's side of an asset: points issued, redeemed, lapsed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "counter")]
pub struct Model {
    /// What is counted.
    #[sea_orm(primary_key, auto_increment = false)]
    pub asset: String,
    /// `issued`, `redeemed` or `lapsed`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Which of its rows: writers who work side by side have one each. What it holds is the sum of them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub shard: i64,
    /// Points; minus what its entries brought to members.
    pub balance: i64,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
