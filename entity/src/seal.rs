//! A seal: what one day record says of the ledger, signed. It never changes.

use sea_orm::entity::prelude::*;

/// One leaf of the log of seals.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seal")]
pub struct Model {
    /// 1, 2, 3, … without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The day record, canonical JSON.
    #[sea_orm(column_type = "Text")]
    pub record: String,
    /// The totals whose hash the record holds, canonical JSON.
    #[sea_orm(column_type = "Text")]
    pub totals: String,
    /// The checkpoint of the log up to this seal, a signed note.
    #[sea_orm(column_type = "Text")]
    pub note: String,
    /// 32 random bytes, from which the salts of accounts in this seal are made.
    pub secret: Vec<u8>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
