//! Changes of what is known of a member. Each is one database transaction, and a change with an idempotency key happens once.

use entity::{follow, member, message};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, Set, Unchanged};

use super::{Member, Members, Name, find_to_change};
use crate::ledger::ReadError;
use crate::ledger::book::key::Key;
use crate::ledger::database::retry::{TRIES, lost_connection, lost_race};

/// New values of a member's profile; `None` leaves a value as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// The displayed name.
    pub nickname: Option<String>,
    /// The address of a picture.
    pub avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    pub sex: Option<i64>,
    /// Seconds since 1970 UTC.
    pub birthday: Option<i64>,
    /// A line about oneself.
    pub signature: Option<String>,
    /// The place of residence.
    pub location: Option<String>,
    /// Height (cm).
    pub height: Option<String>,
    /// Weight at the beginning (kg).
    pub begin_weight: Option<String>,
}

/// A change of a member.
enum MemberChange {
    Profile(ProfileChange),
    /// Lights the avatar for this long (ms).
    Light(i64),
    /// Follows a public account.
    Follow(&'static str),
}

impl Members {
    /// Sets the given values of a member's profile.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn set_profile(
        &self,
        name: &Name,
        change: ProfileChange,
        key: Option<Key>,
    ) -> Result<(), ReadError> {
        self.change(name, MemberChange::Profile(change), key)
            .await?;
        Ok(())
    }

    /// Lights a member's avatar for `time` (ms), counted from now or from its present end, whichever is later. Returns the new
    /// end (ms).
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn extend_light(
        &self,
        name: &Name,
        time: i64,
        key: Option<Key>,
    ) -> Result<i64, ReadError> {
        let until = self.change(name, MemberChange::Light(time), key).await?;
        until.parse().map_err(|error| {
            log::error!("a stored result is not a time: {error}");
            ReadError::Unavailable
        })
    }

    /// Lets a member follow a public account. A member who follows it already stays as they are.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn follow(
        &self,
        name: &Name,
        account: &'static str,
        key: Option<Key>,
    ) -> Result<(), ReadError> {
        self.change(name, MemberChange::Follow(account), key)
            .await?;
        Ok(())
    }

    /// Makes a change and returns its result. If the key has been used before, returns the first result and changes nothing.
    async fn change(
        &self,
        name: &Name,
        change: MemberChange,
        key: Option<Key>,
    ) -> Result<String, ReadError> {
        // Light adds up; the other changes give the same when they are made twice.
        let is_idempotent = key.is_some() || !matches!(change, MemberChange::Light(_));
        for _ in 1..TRIES {
            match self.try_change(name, &change, key).await {
                Err(error) if lost_race(&error) => {}
                Err(error) if is_idempotent && lost_connection(&error) => {}
                done => return Ok(done?),
            }
        }
        Ok(self.try_change(name, &change, key).await?)
    }

    async fn try_change(
        &self,
        name: &Name,
        change: &MemberChange,
        key: Option<Key>,
    ) -> Result<String, DbErr> {
        let db = self.ledger.database().begin_write().await?;
        let key = key.map(|key| key.bytes().to_vec());
        if let Some(key) = &key
            && let Some(done) = message::Entity::find_by_id(key.clone()).one(&db).await?
        {
            return Ok(done.result);
        }
        let now = self.ledger.now();
        let member = find_or_add(&db, name).await?;
        let result = make(&db, member, change, now).await?;
        if let Some(key) = key {
            let done = message::ActiveModel {
                message_key: Set(key),
                at: Set(now),
                result: Set(result.clone()),
            };
            message::Entity::insert(done)
                .exec_without_returning(&db)
                .await?;
        }
        db.commit().await?;
        Ok(result)
    }
}

/// Makes a change and returns its result.
async fn make(
    db: &DatabaseTransaction,
    member: Member,
    change: &MemberChange,
    now: i64,
) -> Result<String, DbErr> {
    match change {
        MemberChange::Profile(change) => {
            if *change != ProfileChange::default() {
                changed(member.id, change.clone()).update(db).await?;
            }
            Ok(String::new())
        }
        MemberChange::Light(time) => {
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
        MemberChange::Follow(account) => {
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

/// Finds the member of this name, or adds one.
async fn find_or_add(db: &DatabaseTransaction, name: &Name) -> Result<Member, DbErr> {
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
