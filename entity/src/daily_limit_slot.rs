//! A slot of a daily limit that an action has taken.

use sea_orm::entity::prelude::*;

/// The `n`-th action of one member and name on one day takes the slot `n`. It is unique, so that of two writers that count the
/// same number of actions one fails and counts again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "daily_limit_slot")]
pub struct Model {
    /// The end of the day (ms); the slot can be purged after it. It leads the primary key, so that purging reads a range.
    #[sea_orm(primary_key, auto_increment = false)]
    pub expires_at: i64,
    /// The key of the actor, the name, the start of the day and the slot's number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot_key: Vec<u8>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
