//! A broker's message that changed a member, and the result of the change.

use sea_orm::entity::prelude::*;

/// Kept so that the message changes nothing when it is delivered again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    /// The key of the publisher, the method and the message id; of older messages, without the publisher.
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_key: Vec<u8>,
    /// When it changed the member (ms).
    pub at: i64,
    /// The change's result: the new end of the avatar's light (ms) as digits, or empty for other changes.
    pub result: String,
    /// The key of the message's content; NULL = an older message, whose content is not known.
    pub fingerprint: Option<Vec<u8>>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
