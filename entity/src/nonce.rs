//! A nonce that has been spent, or a turn of a limit that has been taken.

use sea_orm::entity::prelude::*;

/// A word that a caller has used; kept for as long as its time would let it be used again. Or the turn that an action took among
/// those that its limit counts, kept for as long as that counts.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "nonce")]
pub struct Model {
    /// The time that the request named, or when the limit's time ends (ms).
    #[sea_orm(primary_key, auto_increment = false)]
    pub at: i64,
    /// The key of (caller, word), or of the turn.
    #[sea_orm(primary_key, auto_increment = false)]
    pub nonce_key: Vec<u8>,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
