//! The origin of entries: who asked for them, and what proved it.

use sea_orm::entity::prelude::*;

/// One distinct origin. Only its address and the address's salt may be erased.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "origin")]
pub struct Model {
    /// The database gives it.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// By which a writer finds it; no two have the same.
    pub origin_key: Vec<u8>,
    /// The endpoint's name, `broker`, `cli` or `pointgate`.
    pub dialect: String,
    /// The caller, by the name that its dialect gives it.
    pub caller: String,
    /// Which of the caller's keys proved it: `current`, `previous`, `debug`; null if none of ours did.
    pub caller_key: Option<String>,
    /// The client's address.
    pub address: Option<String>,
    /// 16 random bytes, hashed before the address.
    pub address_salt: Option<Vec<u8>>,
    /// SHA-256 of the salt and the address, 32 bytes, which the hashes of entries cover.
    pub address_hash: Option<Vec<u8>>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
