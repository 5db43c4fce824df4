//! Freezing the accounts of an owner, with a record in the journal.

use entity::{account, frozen_owner, identity};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::journal;
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::database::lock::{Lock, lock};
use crate::ledger::database::retry::{RENAMED, TRIES, lost_race};
use crate::ledger::{Ledger, ReadError};

/// The freezes in memory at a time.
const ROWS: u64 = 1000;

/// A freeze that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// The owner, by the name that the accounts stand under.
    pub owner: String,
    /// What the owner's callers cannot do meanwhile.
    pub scope: FreezeScope,
    /// When it began (ms since 1970 UTC).
    pub since: i64,
    /// The operator's reason.
    pub reason: String,
}

/// The points under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// The owner whom the name leads to.
    pub owner: String,
    /// The balance of each account, by asset; of lots that are due too.
    pub balances: Vec<(String, i64)>,
}

/// What a freeze or an unfreeze came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freezing {
    /// The owner, by the name that the accounts stand under.
    pub owner: String,
    /// Whether it changed anything: a freeze of the same scope, and an unfreeze where nothing is frozen, change nothing.
    pub is_new: bool,
}

impl Ledger {
    /// Freezes all accounts of the owner whom a name leads to, or changes the scope of their freeze. When this returns, no transaction
    /// that the freeze forbids commits any more, on any instance: those under way are over.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer, or if transactions on the accounts keep it waiting.
    pub async fn freeze(
        &self,
        name: &str,
        scope: FreezeScope,
        reason: &str,
        operator: &Operator,
    ) -> Result<Freezing, DbErr> {
        let change = Change::Freeze(scope);
        self.change_freeze(name, change, reason, operator).await
    }

    /// Lifts the freeze of the owner whom a name leads to.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn unfreeze(
        &self,
        name: &str,
        reason: &str,
        operator: &Operator,
    ) -> Result<Freezing, DbErr> {
        let change = Change::Unfreeze;
        self.change_freeze(name, change, reason, operator).await
    }

    /// Reads the next freezes that stand after that of an owner, in the order of their owners; none at the end.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn freezes_after(&self, owner: &str) -> Result<Vec<Freeze>, ReadError> {
        let freezes = || freezes_after(self.database.read(), owner);
        Ok(self.database.again(freezes).await?)
    }

    /// The points under a name; none if there is no account.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn holdings(&self, name: &str) -> Result<Holdings, ReadError> {
        let holdings = || holdings(self.database.read(), name);
        Ok(self.database.again(holdings).await?)
    }

    async fn change_freeze(
        &self,
        name: &str,
        change: Change,
        reason: &str,
        operator: &Operator,
    ) -> Result<Freezing, DbErr> {
        for _ in 1..TRIES {
            match self.try_change_freeze(name, change, reason, operator).await {
                Err(error) if lost_race(&error) => {}
                done => return done,
            }
        }
        self.try_change_freeze(name, change, reason, operator).await
    }

    async fn try_change_freeze(
        &self,
        name: &str,
        change: Change,
        reason: &str,
        operator: &Operator,
    ) -> Result<Freezing, DbErr> {
        let db = self.database.begin_write().await?;
        let owner = lock_owner(&db, name).await?;
        let before = frozen_owner::Entity::find_by_id(owner.as_str())
            .one(&*db)
            .await?;
        let is_new = match change {
            Change::Freeze(scope) => before
                .as_ref()
                .is_none_or(|row| row.scope != scope.number()),
            Change::Unfreeze => before.is_some(),
        };
        if !is_new {
            return Ok(Freezing { owner, is_new });
        }
        let (owned, reason) = (owner.clone(), reason.to_owned());
        let event = match change {
            Change::Freeze(scope) => JournalEvent::Frozen {
                owner: owned,
                scope,
                reason,
            },
            Change::Unfreeze => JournalEvent::Unfrozen {
                owner: owned,
                reason,
            },
        };
        let now = self.now();
        let record = journal::append(&db, &event, now, operator.clone()).await?;
        remove(&db, &owner).await?;
        if let Change::Freeze(scope) = change {
            let row = frozen_owner::Model {
                owner: owner.clone(),
                scope: scope.number(),
                since: now,
                record,
            };
            insert(&db, row).await?;
        }
        db.commit().await?;
        Ok(Freezing { owner, is_new })
    }
}

/// A request for a change.
#[derive(Clone, Copy)]
enum Change {
    Freeze(FreezeScope),
    Unfreeze,
}

/// Resolves a name, and locks the accounts of its owner and the making of new ones. A writer locks in the same order.
async fn lock_owner(db: &GuardedTransaction, name: &str) -> Result<String, DbErr> {
    let owner = owner_of(db, name).await?;
    lock_accounts(db, &owner).await?;
    lock(&**db, Lock::Identities).await?;
    // Until then, another instance may have made an account, or linked the name.
    lock_accounts(db, &owner).await?;
    match owner_of(db, name).await? == owner {
        true => Ok(owner),
        false => Err(DbErr::Custom(RENAMED.into())),
    }
}

/// Locks the accounts of an owner, for which it waits until the transactions that have them are over.
async fn lock_accounts(db: &GuardedTransaction, owner: &str) -> Result<(), DbErr> {
    account::Entity::find()
        .filter(account::Column::Owner.eq(owner))
        .order_by_asc(account::Column::Id)
        .lock_exclusive()
        .all(&**db)
        .await
        .map(|_| ())
}

async fn owner_of(db: &impl ConnectionTrait, name: &str) -> Result<String, DbErr> {
    let identity = identity::Entity::find_by_id(name).one(db).await?;
    Ok(identity.map_or_else(|| name.to_owned(), |identity| identity.owner))
}

async fn remove(db: &GuardedTransaction, owner: &str) -> Result<(), DbErr> {
    let row = frozen_owner::Entity::delete_by_id(owner);
    row.exec(&**db).await.map(|_| ())
}

async fn insert(db: &GuardedTransaction, row: frozen_owner::Model) -> Result<(), DbErr> {
    frozen_owner::Entity::insert(row.into_active_model())
        .exec_without_returning(&**db)
        .await
        .map(|_| ())
}

/// Hands the freeze of a name over to the owner whom it leads to from now on, in the transaction that links them. If both are frozen, the
/// stricter freeze stays.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn hand_over(db: &GuardedTransaction, name: &str, owner: &str) -> Result<(), DbErr> {
    let find = |owner: &str| frozen_owner::Entity::find_by_id(owner).one(&**db);
    let Some(of_name) = find(name).await? else {
        return Ok(());
    };
    remove(db, name).await?;
    let of_owner = find(owner).await?;
    if of_owner.is_some_and(|row| row.scope >= of_name.scope) {
        return Ok(());
    }
    remove(db, owner).await?;
    let owner = owner.to_owned();
    insert(db, frozen_owner::Model { owner, ..of_name }).await
}

async fn freezes_after(db: &impl ConnectionTrait, owner: &str) -> Result<Vec<Freeze>, DbErr> {
    let rows = frozen_owner::Entity::find()
        .filter(frozen_owner::Column::Owner.gt(owner))
        .order_by_asc(frozen_owner::Column::Owner)
        .limit(ROWS)
        .all(db)
        .await?;
    let numbers = rows.iter().map(|row| row.record);
    let records = journal::numbered(db, numbers).await?;
    let freeze = |row: frozen_owner::Model| {
        let scope = FreezeScope::from_number(row.scope);
        let record = records.iter().find(|record| record.number == row.record);
        Ok(Freeze {
            scope: scope.ok_or_else(|| DbErr::Custom("a freeze of an unknown scope".into()))?,
            owner: row.owner,
            since: row.since,
            reason: record
                .and_then(|it| it.detail("reason"))
                .unwrap_or_default(),
        })
    };
    rows.into_iter().map(freeze).collect()
}

async fn holdings(db: &impl ConnectionTrait, name: &str) -> Result<Holdings, DbErr> {
    let owner = owner_of(db, name).await?;
    let accounts = account::Entity::find()
        .filter(account::Column::Owner.eq(owner.as_str()))
        .order_by_asc(account::Column::Asset)
        .all(db)
        .await?;
    let balances = accounts.into_iter().map(|it| (it.asset, it.balance));
    Ok(Holdings {
        owner,
        balances: balances.collect(),
    })
}
