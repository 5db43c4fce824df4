//! A member's account in one asset, with the figures that its entries and lots add up to.

use sea_orm::entity::prelude::*;

/// One member's points in one asset.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// Given by the database.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What is counted: `coin`, `diamond`, …
    pub asset: String,
    /// Whose it is: `uid:50030141`.
    pub owner: String,
    /// Points, due lots included until they are lapsed; never negative.
    pub balance: i64,
    /// The number of the account's last entry; entries are numbered from 1 without gaps.
    pub last_seq: i64,
    /// How many of the entries are income.
    pub income_seq: i64,
    /// When the last entry was made (ms); entries of an account never go back in time.
    pub last_at: i64,
    /// When the first of its lots lapses (ms); none where no lot holds points.
    pub next_expiry: Option<i64>,
    /// The hash of the last entry, 32 bytes.
    pub head: Vec<u8>,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
