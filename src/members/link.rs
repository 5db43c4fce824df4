//! Links a uid and a user_key, the two names of one person.

use entity::{account, follow, identity, member};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    IntoActiveModel, QueryFilter, Set,
};

use super::{Member, MemberName, Members, find};
use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::book::kept::kept_under;
use crate::ledger::book::names::{NameLink, links};
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::database::lock::{Lock, lock};
use crate::ledger::database::retry::{TRIES, lost_race};
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
    /// Both names hold or owe points of the same asset, in two accounts whose entries never change.
    #[error("uid {uid} and user_key {key} both hold or owe points of {}", assets.join(", "))]
    BothHold {
        /// The uid of the request.
        uid: i64,
        /// The user_key of the request.
        key: String,
        /// The assets, sorted.
        assets: Vec<String>,
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
    /// Returns [`LinkError`] if either name is linked to another one, if both hold points of one asset, or if the database does not
    /// answer.
    pub async fn link(&self, uid: i64, key: &str, operator: Operator) -> Result<bool, LinkError> {
        for _ in 1..TRIES {
            match self.try_link(uid, key, &operator).await {
                Err(LinkError::Database(error)) if lost_race(&error) => {}
                done => return done,
            }
        }
        self.try_link(uid, key, &operator).await
    }

    async fn try_link(&self, uid: i64, key: &str, operator: &Operator) -> Result<bool, LinkError> {
        let db = self.ledger.database().begin_write().await?;
        let (by_uid, by_key) = (MemberName::Uid(uid), MemberName::UserKey(key.to_owned()));
        let names = [by_uid.owner(), by_key.owner()];
        // A writer locks in the same order. What is made in between is locked by the second look.
        freeze::lock_accounts(&db, &names).await?;
        lock(&db, Lock::Identities).await?;
        let accounts = freeze::lock_accounts(&db, &names).await?;
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
        let [name, owner] = second_and_first(names, &accounts);
        let holdings: Vec<_> = accounts.into_iter().map(holding).collect();
        let kept = match kept_under(&name, &holdings) {
            Ok(kept) => kept,
            Err(assets) => return Err(LinkError::BothHold { uid, key, assets }),
        };
        for NameLink { name, asset, owner } in links(&name, &owner, &kept) {
            let link = identity::Model { name, asset, owner };
            identity::Entity::insert(link.into_active_model())
                .exec_without_returning(&db)
                .await?;
        }
        freeze::hand_over(&db, &name, &owner, !kept.is_empty()).await?;
        write_member(&db, (uid, key), (of_uid, of_key)).await?;
        let linked = JournalEvent::Linked { name, owner, kept };
        journal::append(&db, &linked, self.ledger.now(), operator.clone()).await?;
        db.commit().await?;
        Ok(true)
    }
}

/// The name that becomes another name of the other one, which is the second. One that has accounts stays their owner, because entries
/// never change.
fn second_and_first([uid, key]: [String; 2], accounts: &[account::Model]) -> [String; 2] {
    let has_account = |owner: &String| accounts.iter().any(|account| account.owner == *owner);
    match !has_account(&uid) && has_account(&key) {
        true => [uid, key],
        false => [key, uid],
    }
}

fn holding(account: account::Model) -> (AccountKey, i64) {
    let account::Model { owner, asset, .. } = account;
    (AccountKey { owner, asset }, account.balance)
}

/// Whether the name owns an account, even one whose balance is 0.
pub(super) async fn has_account(
    db: &impl ConnectionTrait,
    name: &MemberName,
) -> Result<bool, DbErr> {
    let account = account::Entity::find().filter(account::Column::Owner.eq(name.owner()));
    Ok(account.one(db).await?.is_some())
}

/// Writes both names into the row of the known member, or into a new one. Of two members who are one person, the profile of the
/// user_key counts, completed by the one of the uid.
async fn write_member(
    db: &DatabaseTransaction,
    (uid, key): (i64, String),
    known: (Option<Member>, Option<Member>),
) -> Result<(), DbErr> {
    let member = match known {
        (Some(of_uid), Some(of_key)) => {
            let follows = follow::Entity::find().filter(follow::Column::MemberId.eq(of_uid.id));
            let follows = follows.all(db).await?;
            follow::Entity::delete_many()
                .filter(follow::Column::MemberId.eq(of_uid.id))
                .exec(db)
                .await?;
            member::Entity::delete_by_id(of_uid.id).exec(db).await?;
            take_follows(db, of_key.id, follows).await?;
            completed(of_key, of_uid)
        }
        (Some(known), None) | (None, Some(known)) => known,
        (None, None) => {
            let member = member::ActiveModel {
                uid: Set(Some(uid)),
                user_key: Set(Some(key)),
                ..Default::default()
            };
            return member.insert(db).await.map(|_| ());
        }
    };
    let member = Member {
        uid: Some(uid),
        user_key: Some(key),
        ..member
    };
    let member = member.into_active_model().reset_all();
    member.update(db).await.map(|_| ())
}

/// Gives follows to a member who does not have them.
async fn take_follows(
    db: &DatabaseTransaction,
    member_id: i64,
    follows: Vec<follow::Model>,
) -> Result<(), DbErr> {
    for follow in follows {
        let known = follow::Entity::find_by_id((member_id, follow.account.clone()));
        if known.one(db).await?.is_none() {
            let follow = follow::Model {
                member_id,
                ..follow
            };
            follow::Entity::insert(follow.into_active_model())
                .exec_without_returning(db)
                .await?;
        }
    }
    Ok(())
}

/// A profile with another one's values where it has none, and the later end of the light.
fn completed(first: Member, second: Member) -> Member {
    Member {
        id: first.id,
        uid: first.uid,
        user_key: first.user_key,
        nickname: first.nickname.or(second.nickname),
        phone: first.phone.or(second.phone),
        avatar: first.avatar.or(second.avatar),
        real_name: first.real_name.or(second.real_name),
        sex: first.sex.or(second.sex),
        birthday: first.birthday.or(second.birthday),
        qq: first.qq.or(second.qq),
        signature: first.signature.or(second.signature),
        location: first.location.or(second.location),
        height: first.height.or(second.height),
        begin_weight: first.begin_weight.or(second.begin_weight),
        light_until: first.light_until.max(second.light_until),
    }
}
