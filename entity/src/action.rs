//! Something that a member did in the community.

use sea_orm::entity::prelude::*;

/// An action, recorded once for ever. Its details may be erased.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "action")]
pub struct Model {
    /// The database gives it.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The key of the token or, if another action has that one, of all that makes two actions the same. No two have the same.
    pub action_key: Vec<u8>,
    /// The key of all that makes two actions the same, once the details are erased; NULL = token, `other` and `object` are there.
    pub identity_key: Option<Vec<u8>>,
    /// The sender's token for it; empty once the details are erased.
    pub token: String,
    /// The actor, as the sender names them: `key:abc` or `uid:5`.
    pub owner: String,
    /// The kind of action.
    pub name: String,
    /// The owner whom the action concerned, if any; erased with the details.
    pub other: Option<String>,
    /// The thing that the action concerned, as the community names it; erased with the details.
    pub object: Option<String>,
    /// When the ledger recorded it (ms).
    pub at: i64,
    /// 1 if the postings of its rule were applied, 0 if it has no rule or was beyond its limit.
    pub scored: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
