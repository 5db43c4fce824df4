//! Changing what is known of a member: each change is one transaction, and happens once where it has a key.

use entity::{follow, member, message};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, Set, Unchanged};

use super::{Member, Members, Name, find_to_change};
use crate::ledger::ReadError;
use crate::ledger::book::key::Key;
use crate::ledger::database::retry::{TRIES, lost_connection, lost_race};

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

/// One change of a member.
enum Change {
    Profile(ProfileChange),
    /// Light for so long (ms).
    Light(i64),
    Follow(&'static str),
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
        self.change(name, Change::Profile(change), once).await?;
        Ok(())
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
        let until = self.change(name, Change::Light(time), once).await?;
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
        self.change(name, Change::Follow(account), once).await?;
        Ok(())
    }

    /// Makes a change and gives its answer; where `once` has been answered before, only that.
    async fn change(
        &self,
        name: &Name,
        change: Change,
        once: Option<Key>,
    ) -> Result<String, ReadError> {
        // Light that is extended twice is longer; the others are the same when they are made again.
        let repeatable = once.is_some() || !matches!(change, Change::Light(_));
        for _ in 1..TRIES {
            match self.change_once(name, &change, once).await {
                Err(error) if lost_race(&error) => {}
                Err(error) if repeatable && lost_connection(&error) => {}
                done => return Ok(done?),
            }
        }
        Ok(self.change_once(name, &change, once).await?)
    }

    async fn change_once(
        &self,
        name: &Name,
        change: &Change,
        once: Option<Key>,
    ) -> Result<String, DbErr> {
        let db = self.ledger.database().begin_write().await?;
        let key = once.map(|key| key.bytes().to_vec());
        if let Some(key) = &key
            && let Some(done) = message::Entity::find_by_id(key.clone()).one(&db).await?
        {
            return Ok(done.answer);
        }
        let now = self.ledger.now();
        let member = ensure(&db, name).await?;
        let answer = make(&db, member, change, now).await?;
        if let Some(key) = key {
            let done = message::ActiveModel {
                message_key: Set(key),
                at: Set(now),
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

/// Makes a change and gives its answer.
async fn make(
    db: &DatabaseTransaction,
    member: Member,
    change: &Change,
    now: i64,
) -> Result<String, DbErr> {
    match change {
        Change::Profile(change) => {
            if *change != ProfileChange::default() {
                changed(member.id, change.clone()).update(db).await?;
            }
            Ok(String::new())
        }
        Change::Light(time) => {
            let until = member.light_until.unwrap_or(now).max(now);
            let until = until.saturating_add(*time);
            let member = member::ActiveModel {
                id: Unchanged(member.id),
                light_until: Set(Some(until)),
                ..Default::default()
            };
            member.update(db).await?;
            Ok(until.to_string())
        }
        Change::Follow(account) => {
            let follow = follow::ActiveModel {
                member_id: Set(member.id),
                account: Set((*account).to_owned()),
                at: Set(now),
            };
            let known = follow::Entity::find_by_id((member.id, (*account).to_owned()));
            if known.one(db).await?.is_none() {
                follow::Entity::insert(follow)
                    .exec_without_returning(db)
                    .await?;
            }
            Ok(String::new())
        }
    }
}

/// The member of this name, made where there is none.
async fn ensure(db: &DatabaseTransaction, name: &Name) -> Result<Member, DbErr> {
    if let Some(member) = find_to_change(db, name).await? {
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
