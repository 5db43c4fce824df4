//! A member's account in one asset, with the sums over its entries and lots.

use sea_orm::entity::prelude::*;

/// One member's points in one asset.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// The database gives it.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What is counted: `coin`, `diamond`, …
    pub asset: String,
    /// The owner's name: `uid:50030141`.
    pub owner: String,
    /// Points, including those of lots that are due but have not expired yet; never negative.
    pub balance: i64,
    /// The number of the account's last entry. Entries are numbered from 1 without gaps.
    pub last_seq: i64,
    /// The number of entries that are income.
    pub income_seq: i64,
    /// The time of the last entry (ms). An account's entries never go back in time.
    pub last_at: i64,
    /// The expiry of the lot that expires first (ms); null if no lot holds points.
    pub next_expiry: Option<i64>,
    /// The hash of the last entry, 32 bytes.
    pub head: Vec<u8>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
