//! Links the two names of one person.

use entity::{account, identity, member};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set,
    Unchanged,
};

use super::{Member, Members, Name, find};
use crate::ledger::database::lock::{Lock, lock};

/// Why two names were not linked. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The uid belongs to another user_key.
    #[error("uid {uid} is linked with user_key {key} already")]
    UidTaken {
        /// The uid.
        uid: i64,
        /// Its user_key.
        key: String,
    },
    /// The user_key belongs to another uid.
    #[error("user_key {key} is linked with uid {uid} already")]
    KeyTaken {
        /// The user_key.
        key: String,
        /// Its uid.
        uid: i64,
    },
    /// Both names have accounts. Merging two accounts would break the chain of their entries.
    #[error(
        "uid {uid} and user_key {key} both have points, or have had some: two histories cannot become one"
    )]
    BothHold {
        /// The uid.
        uid: i64,
        /// The user_key.
        key: String,
    },
    /// The database failed.
    #[error("the database does not answer: {0}")]
    Database(#[from] DbErr),
}

impl Members {
    /// Makes a uid and a user_key names of one person, who then has one account of each asset under both. Linking the same two
    /// names again changes nothing.
    ///
    /// # Errors
    /// Returns [`LinkError`] if either name is linked with another one, if both have accounts, or if the database fails.
    pub async fn link(&self, uid: i64, key: &str) -> Result<(), LinkError> {
        let db = self.ledger.database().begin_write().await?;
        lock(&db, Lock::Identities).await?;
        let (by_uid, by_key) = (Name::Uid(uid), Name::Key(key.to_owned()));
        let (of_uid, of_key) = (find(&db, &by_uid).await?, find(&db, &by_key).await?);
        let key = key.to_owned();
        if let Some(other) = of_uid.as_ref().and_then(|member| member.user_key.clone()) {
            return match other == key {
                true => Ok(()),
                false => Err(LinkError::UidTaken { uid, key: other }),
            };
        }
        if let Some(uid) = of_key.as_ref().and_then(|member| member.uid) {
            return Err(LinkError::KeyTaken { key, uid });
        }
        let (uid_has, key_has) = (
            has_account(&db, &by_uid).await?,
            has_account(&db, &by_key).await?,
        );
        if (uid_has && key_has) || (of_uid.is_some() && of_key.is_some()) {
            return Err(LinkError::BothHold { uid, key });
        }
        // The accounts keep the owner's name that they have, and the other name leads there.
        let (name, owner) = match key_has {
            true => (by_uid, by_key),
            false => (by_key, by_uid),
        };
        let identity = identity::ActiveModel {
            name: Set(name.owner()),
            owner: Set(owner.owner()),
        };
        identity::Entity::insert(identity)
            .exec_without_returning(&db)
            .await?;
        set_names(&db, uid, key, of_uid.or(of_key)).await?;
        db.commit().await?;
        Ok(())
    }
}

/// Whether there is an account under this name.
async fn has_account(db: &DatabaseTransaction, name: &Name) -> Result<bool, DbErr> {
    let account = account::Entity::find().filter(account::Column::Owner.eq(name.owner()));
    Ok(account.one(db).await?.is_some())
}

/// Gives the known member both names, or adds one that has them.
async fn set_names(
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
