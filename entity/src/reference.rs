//! A reference that has been used, so that a retry answers as the first did and applies nothing.

use sea_orm::entity::prelude::*;

/// What was posted under a reference.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reference")]
pub struct Model {
    /// The key of (account, kind of request, reference).
    #[sea_orm(primary_key, auto_increment = false)]
    pub reference_key: Vec<u8>,
    /// The key of what was asked under it.
    pub content_key: Vec<u8>,
    /// The account it moved.
    pub account_id: i64,
    /// The entry it made.
    pub seq: i64,
    /// The balance that was answered.
    pub balance_after: i64,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
