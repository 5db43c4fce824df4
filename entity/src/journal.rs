//! A record of the journal: a change of something else than points. It never changes.

use sea_orm::entity::prelude::*;

/// One change, recorded in the transaction that made it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "journal")]
pub struct Model {
    /// 1, 2, 3, … without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// When it happened (ms).
    pub at: i64,
    /// What happened: `link`, `forget`, `freeze`, `unfreeze`, `format`, `rebuild`.
    pub kind: String,
    /// The operating-system user who did it: `uid:1000`.
    pub operator: String,
    /// The request id, which the log has too.
    pub request_id: String,
    /// A JSON object with sorted keys.
    #[sea_orm(column_type = "Text")]
    pub details: String,
    /// SHA-256 over the hash of the record before it and this one's content, 32 bytes.
    pub hash: Vec<u8>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
