//! Members: the names of a person, and their profile, light, follows and payments.

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

/// A name of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// The shop's number.
    Uid(i64),
    /// The name in the community and on the health platform.
    Key(String),
}

impl Name {
    /// The owner in the ledger that this name stands for. Two linked names lead to the same accounts.
    pub fn owner(&self) -> String {
        match self {
            Name::Uid(uid) => format!("uid:{uid}"),
            Name::Key(key) => format!("key:{key}"),
        }
    }
}

/// The members in the ledger's database.
#[derive(Clone)]
pub struct Members {
    ledger: Ledger,
}

impl Members {
    /// The members of this ledger.
    pub fn new(ledger: Ledger) -> Members {
        Members { ledger }
    }

    /// Finds a member. Returns `None` if nothing is known of them.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn find(&self, name: &Name) -> Result<Option<Member>, ReadError> {
        let db = self.ledger.database().read();
        Ok(again(|| find(db, name)).await?)
    }
}

async fn find(db: &impl ConnectionTrait, name: &Name) -> Result<Option<Member>, DbErr> {
    named(name).one(db).await
}

/// Finds a member and locks the row until the commit.
async fn find_to_change(db: &impl ConnectionTrait, name: &Name) -> Result<Option<Member>, DbErr> {
    named(name).lock_exclusive().one(db).await
}

fn named(name: &Name) -> Select<member::Entity> {
    member::Entity::find().filter(match name {
        Name::Uid(uid) => member::Column::Uid.eq(*uid),
        Name::Key(key) => member::Column::UserKey.eq(key.as_str()),
    })
}
