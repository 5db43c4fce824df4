//! Something that a member did in the community.

use sea_orm::entity::prelude::*;

/// An action, recorded once for ever.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "action")]
pub struct Model {
    /// Given by the database.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The key of its token.
    pub action_key: Vec<u8>,
    /// Its token, as the sender wrote it.
    pub token: String,
    /// Who did it, as the sender named them: `key:abc` or `uid:5`.
    pub owner: String,
    /// What they did.
    pub name: String,
    /// To whom.
    pub other: Option<String>,
    /// To what.
    pub object: Option<String>,
    /// When it came (ms).
    pub at: i64,
    /// 1 where it moved points by its rule, 0 where it has none or was beyond its limit.
    pub scored: i64,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
