//! Erases what is known of a member beside points.

use entity::{follow, member};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter,
};

use super::link::has_account;
use super::{Member, MemberName, Members, find, find_locked};
use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::database::lock::{Lock, lock};
use crate::ledger::upkeep::journal;

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// There is nothing under the name, and never was.
    #[error("{0} has neither a profile nor an account")]
    Unknown(String),
    /// The database does not answer, or refused the change.
    #[error("the database does not answer: {0}")]
    Database(#[from] DbErr),
}

impl Members {
    /// What [`Members::forget`] would erase: the kinds of data, sorted.
    ///
    /// # Errors
    /// Returns [`ForgetError`] if the name is unknown, or if the database does not answer.
    pub async fn erasable(&self, name: &MemberName) -> Result<Vec<&'static str>, ForgetError> {
        let db = self.ledger.database().read();
        let member = self.ledger.database().again(|| find(db, name)).await?;
        kinds(db, name, member.as_ref()).await
    }

    /// Erases a member's profile and follows, and says in the journal what kinds of data that were. The names stay if they are
    /// linked; accounts, entries, actions and payments stay too. Returns the kinds, sorted: none if there was nothing to erase.
    ///
    /// # Errors
    /// Returns [`ForgetError`] if the name is unknown, or if the database does not answer.
    pub async fn forget(
        &self,
        name: &MemberName,
        operator: Operator,
    ) -> Result<Vec<&'static str>, ForgetError> {
        let db = self.ledger.database().begin_write().await?;
        // A link would give the member a second name meanwhile.
        lock(&db, Lock::Identities).await?;
        let member = find_locked(&db, name).await?;
        let erased = kinds(&db, name, member.as_ref()).await?;
        let Some(member) = member.filter(|_| !erased.is_empty()) else {
            return Ok(erased);
        };
        erase(&db, member).await?;
        let forgotten = JournalEvent::Forgotten {
            owner: name.owner(),
            erased: erased.clone(),
        };
        journal::append(&db, &forgotten, self.ledger.now(), operator).await?;
        db.commit().await?;
        Ok(erased)
    }
}

/// The kinds of data that are known of a member, by their columns' names.
async fn kinds(
    db: &impl ConnectionTrait,
    name: &MemberName,
    member: Option<&Member>,
) -> Result<Vec<&'static str>, ForgetError> {
    let Some(member) = member else {
        let owner = name.owner();
        let is_known = has_account(db, name).await? || journal::has_forgotten(db, &owner).await?;
        return match is_known {
            true => Ok(Vec::new()),
            false => Err(ForgetError::Unknown(owner)),
        };
    };
    let Member {
        id,
        uid: _,
        user_key: _,
        nickname,
        phone,
        avatar,
        real_name,
        sex,
        birthday,
        qq,
        signature,
        location,
        height,
        begin_weight,
        light_until,
    } = member;
    let follows = follow::Entity::find().filter(follow::Column::MemberId.eq(*id));
    let follows = follows.count(db).await?;
    let all = [
        ("avatar", avatar.is_some()),
        ("begin_weight", begin_weight.is_some()),
        ("birthday", birthday.is_some()),
        ("follows", follows > 0),
        ("height", height.is_some()),
        ("light_until", light_until.is_some()),
        ("location", location.is_some()),
        ("nickname", nickname.is_some()),
        ("phone", phone.is_some()),
        ("qq", qq.is_some()),
        ("real_name", real_name.is_some()),
        ("sex", sex.is_some()),
        ("signature", signature.is_some()),
    ];
    let known = all.into_iter().filter(|(_, is_known)| *is_known);
    Ok(known.map(|(kind, _)| kind).collect())
}

/// Deletes a member's follows, and the member too unless the row holds the two names of a link.
async fn erase(db: &GuardedTransaction, member: Member) -> Result<(), DbErr> {
    follow::Entity::delete_many()
        .filter(follow::Column::MemberId.eq(member.id))
        .exec(db)
        .await?;
    let (Some(uid), Some(user_key)) = (member.uid, member.user_key) else {
        return member::Entity::delete_by_id(member.id)
            .exec(db)
            .await
            .map(|_| ());
    };
    let names = Member {
        id: member.id,
        uid: Some(uid),
        user_key: Some(user_key),
        ..Member::default()
    };
    names.into_active_model().reset_all().update(db).await?;
    Ok(())
}
