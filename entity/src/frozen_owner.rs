//! An owner whose accounts are frozen: what the journal's freezes, unfreezes and links come to.

use sea_orm::entity::prelude::*;

/// A freeze that stands.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "frozen_owner")]
pub struct Model {
    /// The owner, by the name that their accounts stand under: `uid:5`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub owner: String,
    /// What is forbidden: 1 spending, 2 all.
    pub scope: i64,
    /// When it began (ms).
    pub since: i64,
    /// The number of the journal's record of it.
    pub record: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
