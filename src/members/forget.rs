//! Erases what is known of a member beside points.

use entity::{follow, member};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter,
};

use super::link::has_account;
use super::{Member, MemberName, Members, find, find_locked, payments};
use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::database::lock::{Lock, lock};
use crate::ledger::upkeep::{details, journal};

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

/// What can be known of a person beside points.
struct Known {
    /// The owners that the person's names stand for, among them the one that the operator gave.
    owners: Vec<String>,
    /// The name in the community, under which payments stand.
    user_key: Option<String>,
    member: Option<Member>,
    /// The kinds of data that are there, sorted.
    kinds: Vec<&'static str>,
}

impl Members {
    /// What [`Members::forget`] would erase: the kinds of data, sorted.
    ///
    /// # Errors
    /// Returns [`ForgetError`] if the name is unknown, or if the database does not answer.
    pub async fn erasable(&self, name: &MemberName) -> Result<Vec<&'static str>, ForgetError> {
        let database = self.ledger.database();
        let db = database.read();
        let member = database.again(|| find(db, name)).await?;
        let owners = owners(name, member.as_ref());
        let naming = database.again(|| details::naming(db, &owners)).await?;
        Ok(known(db, name, member, !naming.is_empty()).await?.kinds)
    }

    /// Erases a member's profile and follows, the details of community actions by or with the member, and the member's name at payments,
    /// and says in the journal what kinds of data that were. The names stay if they are linked; accounts, entries, and the rest of
    /// actions and payments stay too. Returns the kinds, sorted: none if there was nothing to erase.
    ///
    /// # Errors
    /// Returns [`ForgetError`] if the name is unknown, or if the database does not answer.
    pub async fn forget(
        &self,
        name: &MemberName,
        operator: Operator,
    ) -> Result<Vec<&'static str>, ForgetError> {
        let database = self.ledger.database();
        let member = database.again(|| find(database.read(), name)).await?;
        let owners = owners(name, member.as_ref());
        let naming = database.again(|| details::naming(database.read(), &owners));
        let naming = naming.await?;
        let db = database.begin_write().await?;
        // A link would give the member a second name meanwhile.
        lock(&db, Lock::Identities).await?;
        let member = find_locked(&db, name).await?;
        let known = known(&db, name, member, !naming.is_empty()).await?;
        if known.kinds.is_empty() {
            return Ok(known.kinds);
        }
        details::erase_of(&db, &known.owners, &naming).await?;
        if let Some(user_key) = &known.user_key {
            payments::erase_payer(&db, user_key).await?;
        }
        if let Some(member) = known.member {
            erase(&db, member).await?;
        }
        let forgotten = JournalEvent::Forgotten {
            owner: name.owner(),
            erased: known.kinds.clone(),
        };
        journal::append(&db, &forgotten, self.ledger.now(), operator).await?;
        db.commit().await?;
        Ok(known.kinds)
    }
}

/// The owners that the names of a person stand for.
fn owners(name: &MemberName, member: Option<&Member>) -> Vec<String> {
    let uid = member.and_then(|member| member.uid).map(MemberName::Uid);
    let key = member.and_then(|member| member.user_key.clone());
    let names = [Some(name.clone()), uid, key.map(MemberName::UserKey)];
    let mut owners: Vec<String> = names.iter().flatten().map(MemberName::owner).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

/// What is known of a person; `is_named` says whether actions of others name them.
async fn known(
    db: &impl ConnectionTrait,
    name: &MemberName,
    member: Option<Member>,
    is_named: bool,
) -> Result<Known, ForgetError> {
    let owners = owners(name, member.as_ref());
    let user_key = match (name, &member) {
        (MemberName::UserKey(key), _) => Some(key.clone()),
        (MemberName::Uid(_), Some(member)) => member.user_key.clone(),
        (MemberName::Uid(_), None) => None,
    };
    let mut kinds = match &member {
        Some(member) => profile_kinds(db, member).await?,
        None => Vec::new(),
    };
    if is_named || details::has_details(db, &owners).await? {
        kinds.push("actions");
    }
    if let Some(user_key) = &user_key
        && payments::has_payer(db, user_key).await?
    {
        kinds.push("payments");
    }
    kinds.sort_unstable();
    let owner = name.owner();
    let is_unknown = kinds.is_empty()
        && member.is_none()
        && !has_account(db, name).await?
        && !journal::has_forgotten(db, &owner).await?;
    match is_unknown {
        true => Err(ForgetError::Unknown(owner)),
        false => Ok(Known {
            owners,
            user_key,
            member,
            kinds,
        }),
    }
}

/// The kinds of data in a profile, by their columns' names, and follows.
async fn profile_kinds(
    db: &impl ConnectionTrait,
    member: &Member,
) -> Result<Vec<&'static str>, DbErr> {
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
