//! Counts what members did in the community.

use entity::action;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{Members, Name};
use crate::ledger::ReadError;
use crate::ledger::database::retry::again;

impl Members {
    /// Counts a member's actions of these kinds from `from` (ms, inclusive) until `until` (ms, exclusive), under all of the
    /// member's names.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn count_actions(
        &self,
        name: &Name,
        actions: &[String],
        from: i64,
        until: i64,
    ) -> Result<u64, ReadError> {
        let mut owners = vec![name.owner()];
        if let Some(member) = self.find(name).await? {
            owners.extend(member.uid.map(|uid| Name::Uid(uid).owner()));
            owners.extend(member.user_key.map(|key| Name::Key(key).owner()));
        }
        let count = action::Entity::find()
            .filter(action::Column::Owner.is_in(owners))
            .filter(action::Column::Name.is_in(actions))
            .filter(action::Column::At.gte(from))
            .filter(action::Column::At.lt(until));
        let db = self.ledger.database().read();
        Ok(again(|| count.clone().count(db)).await?)
    }
}
