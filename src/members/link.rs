//! Links a uid and a user_key, the two names of one person.

use entity::{account, identity, member};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    QueryFilter, Set, Unchanged,
};

use super::{Member, MemberName, Members, find};
use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::database::lock::{Lock, lock};
use crate::ledger::upkeep::{freeze, journal};

/// Why two names were not linked; the database is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The uid is linked to another user_key.
    #[error("uid {uid} is already linked to user_key {key}")]
    UidTaken {
        /// The uid of the request.
        uid: i64,
        /// The user_key that it is linked to.
        key: String,
    },
    /// The user_key is linked to another uid.
    #[error("user_key {key} is already linked to uid {uid}")]
    KeyTaken {
        /// The user_key of the request.
        key: String,
        /// The uid that it is linked to.
        uid: i64,
    },
    /// Both names have accounts or a profile. Entries never change, so two histories cannot be merged.
    #[error("uid {uid} and user_key {key} both have a history, and two histories cannot be merged")]
    BothInUse {
        /// The uid of the request.
        uid: i64,
        /// The user_key of the request.
        key: String,
    },
    /// The database does not answer, or refused the change.
    #[error("the database does not answer: {0}")]
    Database(#[from] DbErr),
}

impl Members {
    /// Links a uid and a user_key as the names of one person, who then has one account of each asset under both, and says so in the
    /// journal. Returns whether that is new: linking the same pair again changes nothing.
    ///
    /// # Errors
    /// Returns [`LinkError`] if either name is linked to another one, if both have a history, or if the database does not answer.
    pub async fn link(&self, uid: i64, key: &str, operator: Operator) -> Result<bool, LinkError> {
        let db = self.ledger.database().begin_write().await?;
        lock(&db, Lock::Identities).await?;
        let (by_uid, by_key) = (MemberName::Uid(uid), MemberName::UserKey(key.to_owned()));
        let (of_uid, of_key) = (find(&db, &by_uid).await?, find(&db, &by_key).await?);
        let key = key.to_owned();
        if let Some(other) = of_uid.as_ref().and_then(|member| member.user_key.clone()) {
            return match other == key {
                true => Ok(false),
                false => Err(LinkError::UidTaken { uid, key: other }),
            };
        }
        if let Some(uid) = of_key.as_ref().and_then(|member| member.uid) {
            return Err(LinkError::KeyTaken { key, uid });
        }
        let uid_has_account = has_account(&db, &by_uid).await?;
        let key_has_account = has_account(&db, &by_key).await?;
        let both_have_account = uid_has_account && key_has_account;
        if both_have_account || (of_uid.is_some() && of_key.is_some()) {
            return Err(LinkError::BothInUse { uid, key });
        }
        // The name that has accounts stays their owner, because entries never change; the other name resolves to it.
        let (name, owner) = match key_has_account {
            true => (by_uid, by_key),
            false => (by_key, by_uid),
        };
        let (name, owner) = (name.owner(), owner.owner());
        let identity = identity::ActiveModel {
            name: Set(name.clone()),
            owner: Set(owner.clone()),
        };
        identity::Entity::insert(identity)
            .exec_without_returning(&db)
            .await?;
        freeze::hand_over(&db, &name, &owner).await?;
        write_member(&db, uid, key, of_uid.or(of_key)).await?;
        let linked = JournalEvent::Linked { name, owner };
        journal::append(&db, &linked, self.ledger.now(), operator).await?;
        db.commit().await?;
        Ok(true)
    }
}

/// Whether the name owns an account, even one whose balance is 0.
pub(super) async fn has_account(
    db: &impl ConnectionTrait,
    name: &MemberName,
) -> Result<bool, DbErr> {
    let account = account::Entity::find().filter(account::Column::Owner.eq(name.owner()));
    Ok(account.one(db).await?.is_some())
}

/// Writes both names into the known member's row, or into a new one.
async fn write_member(
    db: &DatabaseTransaction,
    uid: i64,
    key: String,
    known: Option<Member>,
) -> Result<(), DbErr> {
    let member = member::ActiveModel {
        uid: Set(Some(uid)),
        user_key: Set(Some(key)),
        ..Default::default()
    };
    match known {
        Some(known) => {
            let member = member::ActiveModel {
                id: Unchanged(known.id),
                ..member
            };
            member.update(db).await.map(|_| ())
        }
        None => member.insert(db).await.map(|_| ()),
    }
}
