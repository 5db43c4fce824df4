//! A second name of an owner.

use sea_orm::entity::prelude::*;

/// A name that leads to the accounts of another one.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alias")]
pub struct Model {
    /// The name: `uid:5` or `key:abc`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Under which name the accounts stand.
    pub owner: String,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
