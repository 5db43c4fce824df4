//! When callers' keys were last used, kept over restarts and shared by all instances on the database.

use entity::key_use;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter};

use crate::ledger::book::key::Key;
use crate::ledger::{ApplyError, Ledger, ReadError};

/// The rows of one statement.
const ROWS: usize = 200;

/// When a key was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// Stands for the caller and its key.
    pub key: Key,
    /// When the key was first noted (ms since 1970 UTC).
    pub since: i64,
    /// When it was last used (ms since 1970 UTC); `None` = never.
    pub used_at: Option<i64>,
}

impl Ledger {
    /// Notes when keys were last used. An earlier time than the noted one changes nothing, nor does another `since`.
    ///
    /// # Errors
    /// Returns [`ApplyError::Unavailable`] if the clock is not trusted or the database fails; then nothing is noted.
    pub async fn note_key_uses(&self, uses: &[LastUse]) -> Result<(), ApplyError> {
        self.trusted_now()?;
        self.try_note(uses).await.map_err(|error| {
            log::error!("cannot note when keys were used: {error}");
            ApplyError::Unavailable
        })
    }

    async fn try_note(&self, uses: &[LastUse]) -> Result<(), DbErr> {
        if uses.is_empty() {
            return Ok(());
        }
        let transaction = self.database.begin_write().await?;
        for uses in uses.chunks(ROWS) {
            let rows = uses.iter().map(|used| key_use::ActiveModel {
                use_key: Set(used.key.bytes().to_vec()),
                since: Set(used.since),
                used_at: Set(None),
            });
            let mut known = OnConflict::column(key_use::Column::UseKey);
            known.do_nothing_on([key_use::Column::UseKey]);
            key_use::Entity::insert_many(rows)
                .on_conflict(known)
                .exec_without_returning(&transaction)
                .await?;
        }
        for used in uses.iter().filter(|used| used.used_at.is_some()) {
            let at = key_use::Column::UsedAt;
            let is_later = Condition::any().add(at.is_null()).add(at.lt(used.used_at));
            key_use::Entity::update_many()
                .set(key_use::ActiveModel {
                    used_at: Set(used.used_at),
                    ..Default::default()
                })
                .filter(key_use::Column::UseKey.eq(used.key.bytes().to_vec()))
                .filter(is_later)
                .exec(&transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// When these keys were last used; a key that was never noted is left out.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn key_uses(&self, keys: &[Key]) -> Result<Vec<LastUse>, ReadError> {
        let mut found = Vec::new();
        for keys in keys.chunks(ROWS) {
            let wanted = || keys.iter().map(|key| key.bytes().to_vec());
            let rows = self.database.again(|| {
                key_use::Entity::find()
                    .filter(key_use::Column::UseKey.is_in(wanted()))
                    .all(self.database.read())
            });
            found.extend(rows.await?);
        }
        let uses = found.iter().filter_map(|row| {
            Some(LastUse {
                key: Key::from_bytes(&row.use_key)?,
                since: row.since,
                used_at: row.used_at,
            })
        });
        Ok(uses.collect())
    }
}
