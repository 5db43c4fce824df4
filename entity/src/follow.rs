//! A public account that a member follows.

use sea_orm::entity::prelude::*;

/// Once for each member and account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: i64,
    /// `shop` or `service`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// Since when (ms).
    pub at: i64,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
