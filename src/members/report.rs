//! Counts the community actions of a member.

use entity::action;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{MemberName, Members};
use crate::ledger::ReadError;

impl Members {
    /// Counts the member's recorded actions of these names from `from` (inclusive) to `until` (exclusive, both ms since 1970 UTC).
    /// An action counts under either name of a linked member.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database does not answer.
    pub async fn count_actions(
        &self,
        name: &MemberName,
        actions: &[String],
        from: i64,
        until: i64,
    ) -> Result<u64, ReadError> {
        let mut owners = vec![name.owner()];
        if let Some(member) = self.find(name).await? {
            owners.extend(member.uid.map(|uid| MemberName::Uid(uid).owner()));
            owners.extend(member.user_key.map(|key| MemberName::UserKey(key).owner()));
        }
        let count = action::Entity::find()
            .filter(action::Column::Owner.is_in(owners))
            .filter(action::Column::Name.is_in(actions))
            .filter(action::Column::At.gte(from))
            .filter(action::Column::At.lt(until));
        let db = self.ledger.database().read();
        Ok(self
            .ledger
            .database()
            .again(|| count.clone().count(db))
            .await?)
    }
}
