//! Members: the names of a person, and what is known of them beside points.

mod change;
mod link;
mod payments;
mod report;

use entity::member;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Select};

use crate::ledger::database::retry::again;
use crate::ledger::{Ledger, ReadError};
pub use change::ProfileChange;
pub use entity::member::Model as Member;
pub use entity::payment::Model as Payment;
pub use link::LinkError;

/// How somebody names a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// The shop's number.
    Uid(i64),
    /// The community's and the health platform's name.
    Key(String),
}

impl Name {
    /// The owner of accounts that this name means; two names of one person lead to the same accounts.
    pub fn owner(&self) -> String {
        match self {
            Name::Uid(uid) => format!("uid:{uid}"),
            Name::Key(key) => format!("key:{key}"),
        }
    }
}

/// What is known of members, in the ledger's database.
#[derive(Clone)]
pub struct Members {
    ledger: Ledger,
}

impl Members {
    /// Of this ledger.
    pub fn new(ledger: Ledger) -> Members {
        Members { ledger }
    }

    /// What is known of somebody; none where that is nothing.
    ///
    /// # Errors
    /// A database that fails.
    pub async fn find(&self, name: &Name) -> Result<Option<Member>, ReadError> {
        let db = self.ledger.database().read();
        Ok(again(|| find(db, name)).await?)
    }
}

/// What is known of somebody.
async fn find(db: &impl ConnectionTrait, name: &Name) -> Result<Option<Member>, DbErr> {
    named(name).one(db).await
}

/// The same, kept from other changes until the commit.
async fn find_to_change(db: &impl ConnectionTrait, name: &Name) -> Result<Option<Member>, DbErr> {
    named(name).lock_exclusive().one(db).await
}

fn named(name: &Name) -> Select<member::Entity> {
    member::Entity::find().filter(match name {
        Name::Uid(uid) => member::Column::Uid.eq(*uid),
        Name::Key(key) => member::Column::UserKey.eq(key.as_str()),
    })
}
