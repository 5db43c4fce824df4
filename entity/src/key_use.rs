//! When the key of a caller was last used, so that an old key can be removed once nobody uses it.

use sea_orm::entity::prelude::*;

/// One key of one caller.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_use")]
pub struct Model {
    /// Stands for the caller and its key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub use_key: Vec<u8>,
    /// When the configuration first had the key (ms).
    pub since: i64,
    /// When it was last used (ms); `None` = never.
    pub used_at: Option<i64>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
