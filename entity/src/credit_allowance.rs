//! What has been used of an allowance: the points that a caller's transactions may earn together in a period.

use sea_orm::entity::prelude::*;

/// One caller's use in one period.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credit_allowance")]
pub struct Model {
    /// Its number, in whose order writers lock.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The end of the period (ms); the row can be purged after it.
    pub expires_at: i64,
    /// The key of the caller and the period.
    pub allowance_key: Vec<u8>,
    /// The points that have been earned.
    pub used: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
