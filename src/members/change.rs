//! Changes to a member: each is one database transaction, and applies once per idempotency key if it has one.

use entity::{follow, member, message};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, Set, Unchanged};

use super::{Member, MemberName, Members, find_locked};
use crate::ledger::ReadError;
use crate::ledger::book::key::Key;
use crate::ledger::database::retry::{TRIES, lost_connection, lost_race};

/// New values for a member's profile; a field that is `None` keeps its value, and an empty text clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// The displayed name.
    pub nickname: Option<String>,
    /// URL of the avatar.
    pub avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    pub sex: Option<i64>,
    /// Midnight of the birthday (s since 1970 UTC).
    pub birthday: Option<i64>,
    /// The member's description of themselves.
    pub signature: Option<String>,
    /// Place of residence.
    pub location: Option<String>,
    /// Height (cm), as the sender wrote the number.
    pub height: Option<String>,
    /// Weight at the start of training (kg), as the sender wrote the number.
    pub begin_weight: Option<String>,
}

/// More light for a member's avatar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Light {
    /// The time that it lasts longer (ms).
    pub time: i64,
    /// The latest end of any light (ms since 1970 UTC).
    pub last: i64,
}

/// Identifies the message that asks for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageKey {
    /// The idempotency key.
    pub key: Key,
    /// The key of the content, which a redelivery repeats.
    pub fingerprint: Key,
    /// The key under which an older version of the program may have applied the message, if the broker delivers it again.
    pub older: Option<Key>,
}

/// Why a member was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// A message with other content had the id.
    #[error("another message had the same id")]
    MessageIdUsed,
    /// The database failed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// How long a message that an older version of the program applied is recognised (ms). Its record does not tell it from another
/// publisher's message under the same id, and the broker delivers again soon.
const OLDER_RECOGNISED: i64 = 86_400_000;

/// A request for a change, without its member.
enum MemberChange {
    SetProfile(ProfileChange),
    ExtendLight(Light),
    /// Follows this public account.
    Follow(&'static str),
}

impl Members {
    /// Sets the given fields of a member's profile, and creates the member if the name is unknown.
    ///
    /// # Errors
    /// Returns [`ChangeError`] if the message's id was used with other content, or if the database does not answer.
    pub async fn set_profile(
        &self,
        name: &MemberName,
        change: ProfileChange,
        message: Option<MessageKey>,
    ) -> Result<(), ChangeError> {
        self.change(name, MemberChange::SetProfile(change), message)
            .await?;
        Ok(())
    }

    /// Extends the light of a member's avatar from now or, if it is lit, from its end. Returns the new end (ms since 1970 UTC); a
    /// repeated `message` returns the end of the first time.
    ///
    /// # Errors
    /// Returns [`ChangeError`] if the message's id was used with other content, or if the database does not answer.
    pub async fn extend_light(
        &self,
        name: &MemberName,
        light: Light,
        message: Option<MessageKey>,
    ) -> Result<i64, ChangeError> {
        let until = self
            .change(name, MemberChange::ExtendLight(light), message)
            .await?;
        until.parse().map_err(|error| {
            log::error!("cannot read a stored result: {error}");
            ReadError::Unavailable.into()
        })
    }

    /// Records that a member follows a public account; a repetition changes nothing.
    ///
    /// # Errors
    /// Returns [`ChangeError`] if the message's id was used with other content, or if the database does not answer.
    pub async fn follow(
        &self,
        name: &MemberName,
        account: &'static str,
        message: Option<MessageKey>,
    ) -> Result<(), ChangeError> {
        self.change(name, MemberChange::Follow(account), message)
            .await?;
        Ok(())
    }

    /// Applies a change and returns its result. A known `message` returns the stored result and changes nothing.
    async fn change(
        &self,
        name: &MemberName,
        change: MemberChange,
        message: Option<MessageKey>,
    ) -> Result<String, ChangeError> {
        // Without a key, a lost connection leaves open whether the light was extended; a retry could extend it twice.
        self.ledger.trusted_now().map_err(ReadError::from)?;
        let is_idempotent = message.is_some() || !matches!(change, MemberChange::ExtendLight(_));
        for _ in 1..TRIES {
            match self.try_change(name, &change, message).await {
                Err(error) if lost_race(&error) => {}
                Err(error) if is_idempotent && lost_connection(&error) => {}
                done => return done.map_err(ReadError::from)?,
            }
        }
        let done = self.try_change(name, &change, message).await;
        done.map_err(ReadError::from)?
    }

    async fn try_change(
        &self,
        name: &MemberName,
        change: &MemberChange,
        message: Option<MessageKey>,
    ) -> Result<Result<String, ChangeError>, DbErr> {
        let db = self.ledger.database().begin_write().await?;
        let now = self.ledger.now();
        if let Some(message) = message
            && let Some(known) = find_known(&db, message, now).await?
        {
            return Ok(known);
        }
        let member = find_or_insert(&db, name).await?;
        let result = apply(&db, member, change, now).await?;
        if let Some(message) = message {
            let record = message::ActiveModel {
                message_key: Set(message.key.bytes().to_vec()),
                at: Set(now),
                result: Set(result.clone()),
                fingerprint: Set(Some(message.fingerprint.bytes().to_vec())),
            };
            message::Entity::insert(record)
                .exec_without_returning(&db)
                .await?;
        }
        db.commit().await?;
        Ok(Ok(result))
    }
}

/// The outcome of a message that was applied before; `None` for a new one.
async fn find_known(
    db: &DatabaseTransaction,
    message: MessageKey,
    now: i64,
) -> Result<Option<Result<String, ChangeError>>, DbErr> {
    let find = |key: Key| message::Entity::find_by_id(key.bytes().to_vec()).one(db);
    if let Some(record) = find(message.key).await? {
        let is_same = record.fingerprint.as_deref() == Some(&message.fingerprint.bytes());
        return Ok(Some(match is_same {
            true => Ok(record.result),
            false => Err(ChangeError::MessageIdUsed),
        }));
    }
    let Some(older) = message.older else {
        return Ok(None);
    };
    let record = find(older).await?;
    let recent = record.filter(|it| it.fingerprint.is_none() && it.at > now - OLDER_RECOGNISED);
    Ok(recent.map(|record| Ok(record.result)))
}

/// Applies a change and returns its result: the new end of the light (ms), otherwise nothing.
async fn apply(
    db: &DatabaseTransaction,
    member: Member,
    change: &MemberChange,
    now: i64,
) -> Result<String, DbErr> {
    match change {
        MemberChange::SetProfile(change) => {
            if *change != ProfileChange::default() {
                profile_update(member.id, change.clone()).update(db).await?;
            }
            Ok(String::new())
        }
        MemberChange::ExtendLight(light) => {
            let until = member.light_until.unwrap_or(now).max(now);
            let until = until.saturating_add(light.time).min(light.last);
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

/// Returns the member of this name, whose row it locks; inserts the member if the name is unknown.
async fn find_or_insert(db: &DatabaseTransaction, name: &MemberName) -> Result<Member, DbErr> {
    if let Some(member) = find_locked(db, name).await? {
        return Ok(member);
    }
    let member = match name {
        MemberName::Uid(uid) => member::ActiveModel {
            uid: Set(Some(*uid)),
            ..Default::default()
        },
        MemberName::UserKey(key) => member::ActiveModel {
            user_key: Set(Some(key.clone())),
            ..Default::default()
        },
    };
    member.insert(db).await
}

/// An update of the fields that are present.
fn profile_update(id: i64, change: ProfileChange) -> member::ActiveModel {
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
