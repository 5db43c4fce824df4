//! A second name of an owner.

use sea_orm::entity::prelude::*;

/// A name that leads to another owner's accounts.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity")]
pub struct Model {
    /// The name: `uid:5` or `key:abc`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The name under which the accounts stand.
    pub owner: String,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
