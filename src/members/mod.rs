//! Members: the two names of a person, with the profile, follows, payments and community actions under them.

mod change;
mod forget;
mod link;
mod payments;
mod report;

use entity::member;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Select};

use crate::ledger::{Ledger, ReadError};
pub use change::{ChangeError, Light, MessageKey, ProfileChange};
pub use entity::member::Model as Member;
pub use entity::payment::Model as Payment;
pub use forget::ForgetError;
pub use link::LinkError;

/// One of the two names of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberName {
    /// The number in the shop's database, above 0.
    Uid(i64),
    /// The text that the community and the health platform use.
    UserKey(String),
}

impl MemberName {
    /// The owner under which the ledger looks an account up. The ledger resolves both names of a linked member to the same
    /// accounts.
    pub fn owner(&self) -> String {
        match self {
            MemberName::Uid(uid) => format!("uid:{uid}"),
            MemberName::UserKey(key) => format!("key:{key}"),
        }
    }

    /// Reads the name of an owner, `uid:5` or `key:abc`; `None` for any other text.
    pub fn of_owner(owner: &str) -> Option<MemberName> {
        let name = match owner.split_once(':')? {
            ("uid", uid) => MemberName::Uid(uid.parse().ok().filter(|uid| *uid > 0)?),
            ("key", key) if !key.is_empty() => MemberName::UserKey(key.to_owned()),
            _ => return None,
        };
        // `uid:05` owns nothing.
        (name.owner() == owner).then_some(name)
    }
}

/// The members' tables in the ledger's database.
#[derive(Clone)]
pub struct Members {
    ledger: Ledger,
}

impl Members {
    /// Uses the database of this ledger.
    pub fn new(ledger: Ledger) -> Members {
        Members { ledger }
    }

    /// Reads a member; `None` for an unknown name.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database does not answer.
    pub async fn find(&self, name: &MemberName) -> Result<Option<Member>, ReadError> {
        let db = self.ledger.database().read();
        Ok(self.ledger.database().again(|| find(db, name)).await?)
    }
}

async fn find(db: &impl ConnectionTrait, name: &MemberName) -> Result<Option<Member>, DbErr> {
    by_name(name).one(db).await
}

/// Finds a member and locks the row until the commit.
async fn find_locked(
    db: &impl ConnectionTrait,
    name: &MemberName,
) -> Result<Option<Member>, DbErr> {
    by_name(name).lock_exclusive().one(db).await
}

fn by_name(name: &MemberName) -> Select<member::Entity> {
    member::Entity::find().filter(match name {
        MemberName::Uid(uid) => member::Column::Uid.eq(*uid),
        MemberName::UserKey(key) => member::Column::UserKey.eq(key.as_str()),
    })
}
