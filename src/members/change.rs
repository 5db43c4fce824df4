//! Changing what is known of a member: each change is one transaction, and happens once where it has a key.

use entity::{follow, member, message};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, Set, Unchanged};

use super::{Member, Members, Name, find};
use crate::ledger::ReadError;
use crate::ledger::key::Key;

/// What is told of a member; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// What the person is called.
    pub nickname: Option<String>,
    /// The address of a picture.
    pub avatar: Option<String>,
    /// 0 not told, 1 male, 2 female.
    pub sex: Option<i64>,
    /// Seconds since 1970 UTC.
    pub birthday: Option<i64>,
    /// A line about oneself.
    pub signature: Option<String>,
    /// Where they live.
    pub location: Option<String>,
    /// Height (cm).
    pub height: Option<String>,
    /// Weight at the beginning (kg).
    pub begin_weight: Option<String>,
}

impl Members {
    /// Sets what is told of somebody.
    ///
    /// # Errors
    /// A database that fails.
    pub async fn set_profile(
        &self,
        name: &Name,
        change: ProfileChange,
        once: Option<Key>,
    ) -> Result<(), ReadError> {
        let set = async |db: &DatabaseTransaction, member: Member| {
            if change != ProfileChange::default() {
                changed(member.id, change).update(db).await?;
            }
            Ok(String::new())
        };
        self.change(name, once, set).await.map(|_| ())
    }

    /// Lights somebody's avatar for so long (ms) from now, or from when it would go out, and gives when it will (ms).
    ///
    /// # Errors
    /// A database that fails.
    pub async fn extend_light(
        &self,
        name: &Name,
        time: i64,
        once: Option<Key>,
    ) -> Result<i64, ReadError> {
        let now = self.ledger.now();
        let light = async |db: &DatabaseTransaction, member: Member| {
            let until = member
                .light_until
                .unwrap_or(now)
                .max(now)
                .saturating_add(time);
            let member = member::ActiveModel {
                id: Unchanged(member.id),
                light_until: Set(Some(until)),
                ..Default::default()
            };
            member.update(db).await?;
            Ok(until.to_string())
        };
        let until = self.change(name, once, light).await?;
        until.parse().map_err(|error| {
            log::error!("a stored answer cannot be read: {error}");
            ReadError::Unavailable
        })
    }

    /// Lets somebody follow an account; again: no change.
    ///
    /// # Errors
    /// A database that fails.
    pub async fn follow(
        &self,
        name: &Name,
        account: &'static str,
        once: Option<Key>,
    ) -> Result<(), ReadError> {
        let at = self.ledger.now();
        let follow = async |db: &DatabaseTransaction, member: Member| {
            let follow = follow::ActiveModel {
                member_id: Set(member.id),
                account: Set(account.to_owned()),
                at: Set(at),
            };
            let columns = [follow::Column::MemberId, follow::Column::Account];
            follow::Entity::insert(follow)
                .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
                .exec_without_returning(db)
                .await?;
            Ok(String::new())
        };
        self.change(name, once, follow).await.map(|_| ())
    }

    /// Does something to a member and gives its answer; where `once` has been answered before, only that.
    async fn change(
        &self,
        name: &Name,
        once: Option<Key>,
        change: impl AsyncFnOnce(&DatabaseTransaction, Member) -> Result<String, DbErr>,
    ) -> Result<String, ReadError> {
        let db = self.ledger.store().begin_write().await?;
        let key = once.map(|key| key.bytes().to_vec());
        if let Some(key) = &key
            && let Some(done) = message::Entity::find_by_id(key.clone()).one(&db).await?
        {
            return Ok(done.answer);
        }
        let member = ensure(&db, name).await?;
        let answer = change(&db, member).await?;
        if let Some(key) = key {
            let done = message::ActiveModel {
                message_key: Set(key),
                at: Set(self.ledger.now()),
                answer: Set(answer.clone()),
            };
            message::Entity::insert(done)
                .exec_without_returning(&db)
                .await?;
        }
        db.commit().await?;
        Ok(answer)
    }
}

/// The member of this name, made where there is none.
async fn ensure(db: &DatabaseTransaction, name: &Name) -> Result<Member, DbErr> {
    if let Some(member) = find(db, name).await? {
        return Ok(member);
    }
    let member = match name {
        Name::Uid(uid) => member::ActiveModel {
            uid: Set(Some(*uid)),
            ..Default::default()
        },
        Name::Key(key) => member::ActiveModel {
            user_key: Set(Some(key.clone())),
            ..Default::default()
        },
    };
    member.insert(db).await
}

fn changed(id: i64, change: ProfileChange) -> member::ActiveModel {
    let mut member = member::ActiveModel {
        id: Unchanged(id),
        ..Default::default()
    };
    let ProfileChange {
        nickname,
        avatar,
        sex,
        birthday,
        signature,
        location,
        height,
        begin_weight,
    } = change;
    for (column, text) in [
        (&mut member.nickname, nickname),
        (&mut member.avatar, avatar),
        (&mut member.signature, signature),
        (&mut member.location, location),
        (&mut member.height, height),
        (&mut member.begin_weight, begin_weight),
    ] {
        if text.is_some() {
            *column = Set(text);
        }
    }
    for (column, number) in [(&mut member.sex, sex), (&mut member.birthday, birthday)] {
        if number.is_some() {
            *column = Set(number);
        }
    }
    member
}
