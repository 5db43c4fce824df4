//! What an account held when the ledger took up the second format of entries.

use sea_orm::entity::prelude::*;

/// One account with entries of the first format, which do not say what they did to lots. It never changes; the journal's record of
/// kind `format` holds the digest of all.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opening")]
pub struct Model {
    /// The account that held them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: i64,
    /// The number of its last entry of the first format.
    pub seq: i64,
    /// Its lots after that entry: `EXPIRY:POINTS`, joined by commas; empty if it had none.
    #[sea_orm(column_type = "Text")]
    pub lots: String,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
