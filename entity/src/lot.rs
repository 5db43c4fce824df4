//! A lot: points of an account that expire together.

use sea_orm::entity::prelude::*;

/// Points of one account with one expiry.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lot")]
pub struct Model {
    /// The account that owns the points.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: i64,
    /// The time from which on they no longer count (ms); `i64::MAX` = never.
    #[sea_orm(primary_key, auto_increment = false)]
    pub expires_at: i64,
    /// Points left, more than 0.
    pub remaining: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
