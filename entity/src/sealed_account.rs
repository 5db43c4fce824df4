//! The state of an account in a seal, for each seal before which it had changed. It never changes.

use sea_orm::entity::prelude::*;

/// An account in the seals from this one up to the next that has a row of it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sealed_account")]
pub struct Model {
    /// The account. There is no foreign key: a seal would lock the rows of accounts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: i64,
    /// The number of the seal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seal: i64,
    /// The number of the account's last entry in this seal.
    pub seq: i64,
    /// SHA-256 of the account's number of entries, balance, head and lots, 32 bytes.
    pub state: Vec<u8>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
