//! A public account that a member follows.

use sea_orm::entity::prelude::*;

/// One row for each member and public account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow")]
pub struct Model {
    /// The member who follows.
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: i64,
    /// `shop` or `service`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// When the member began to follow it (ms).
    pub at: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
