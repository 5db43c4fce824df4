//! A nonce that has been spent.

use sea_orm::entity::prelude::*;

/// A value that a caller has used. It is kept for as long as its time would let it be used again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "nonce")]
pub struct Model {
    /// The time that the request carried (ms).
    #[sea_orm(primary_key, auto_increment = false)]
    pub at: i64,
    /// The key of the caller and the value.
    #[sea_orm(primary_key, auto_increment = false)]
    pub nonce_key: Vec<u8>,
    /// The key of the content that may use the value again; NULL = nothing may.
    pub fingerprint: Option<Vec<u8>>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
