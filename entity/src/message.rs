//! A message that changed something about a member, and what it was answered.

use sea_orm::entity::prelude::*;

/// Kept so that the message changes nothing when it comes again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    /// The key of (method, message id).
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_key: Vec<u8>,
    /// When it came (ms).
    pub at: i64,
    /// What it was answered.
    pub answer: String,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
