//! Joining the two names of one person.

use entity::{account, alias, member};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set,
    Unchanged,
};

use super::{Member, Members, Name, find};
use crate::ledger::database::lock::{Lock, lock};

/// Why two names were not joined; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The number is another person's.
    #[error("uid {uid} is linked with user_key {key} already")]
    UidTaken {
        /// The number.
        uid: i64,
        /// The name that it has.
        key: String,
    },
    /// The name is another person's.
    #[error("user_key {key} is linked with uid {uid} already")]
    KeyTaken {
        /// The name.
        key: String,
        /// The number that it has.
        uid: i64,
    },
    /// Whatever were done with one of them, its entries would no longer be explained.
    #[error(
        "uid {uid} and user_key {key} both have points, or have had some: two histories cannot become one"
    )]
    BothHold {
        /// The number.
        uid: i64,
        /// The name.
        key: String,
    },
    /// The database failed.
    #[error("the database does not answer: {0}")]
    Database(#[from] DbErr),
}

impl Members {
    /// Says that a uid and a user_key are one person, who then has one account of each asset under both. Again: no change.
    ///
    /// # Errors
    /// Where either is linked already, where both have a history, or where the database fails.
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
        let (uid_holds, key_holds) = (holds(&db, &by_uid).await?, holds(&db, &by_key).await?);
        if (uid_holds && key_holds) || (of_uid.is_some() && of_key.is_some()) {
            return Err(LinkError::BothHold { uid, key });
        }
        // Who has a history keeps its name in the books, and the other name leads there.
        let (name, owner) = match key_holds {
            true => (by_uid, by_key),
            false => (by_key, by_uid),
        };
        let alias = alias::ActiveModel {
            name: Set(name.owner()),
            owner: Set(owner.owner()),
        };
        alias::Entity::insert(alias)
            .exec_without_returning(&db)
            .await?;
        join(&db, uid, key, of_uid.or(of_key)).await?;
        db.commit().await?;
        Ok(())
    }
}

/// Whether somebody has or has had points under this name.
async fn holds(db: &DatabaseTransaction, name: &Name) -> Result<bool, DbErr> {
    let account = account::Entity::find().filter(account::Column::Owner.eq(name.owner()));
    Ok(account.one(db).await?.is_some())
}

async fn join(
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
