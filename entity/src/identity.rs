//! Another name of an owner.

use sea_orm::entity::prelude::*;

/// A name that leads to an owner's account of one asset, or of every asset for which the name has no row of its own.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity")]
pub struct Model {
    /// The name: `uid:5` or `key:abc`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The asset; empty = every one without a row of its own.
    #[sea_orm(primary_key, auto_increment = false)]
    pub asset: String,
    /// The name under which the accounts stand.
    pub owner: String,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
