//! Freezing the accounts of an owner, with a record in the journal.

use std::collections::BTreeMap;

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
    /// Freezes all accounts that a name leads to, or changes the scope of their freeze. When this returns, no transaction
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
        let owners = lock_owners(&db, name).await?;
        let now = self.now();
        let mut is_new = false;
        for owner in &owners {
            is_new |= change_one(&db, owner, change, (reason, operator, now)).await?;
        }
        if is_new {
            db.commit().await?;
        }
        let owner = owners.into_iter().next();
        Ok(Freezing {
            owner: owner.unwrap_or_else(|| name.to_owned()),
            is_new,
        })
    }
}

/// Changes the freeze of the accounts under one name, with its reason, operator and time (ms). Returns whether that is new.
async fn change_one(
    db: &GuardedTransaction,
    owner: &str,
    change: Change,
    (reason, operator, now): (&str, &Operator, i64),
) -> Result<bool, DbErr> {
    let before = frozen_owner::Entity::find_by_id(owner).one(&**db).await?;
    let is_new = match change {
        Change::Freeze(scope) => before
            .as_ref()
            .is_none_or(|row| row.scope != scope.number()),
        Change::Unfreeze => before.is_some(),
    };
    if !is_new {
        return Ok(false);
    }
    let (owner, reason) = (owner.to_owned(), reason.to_owned());
    let event = match change {
        Change::Freeze(scope) => JournalEvent::Frozen {
            owner: owner.clone(),
            scope,
            reason,
        },
        Change::Unfreeze => JournalEvent::Unfrozen {
            owner: owner.clone(),
            reason,
        },
    };
    let record = journal::append(db, &event, now, operator.clone()).await?;
    remove(db, &owner).await?;
    if let Change::Freeze(scope) = change {
        let row = frozen_owner::Model {
            owner,
            scope: scope.number(),
            since: now,
            record,
        };
        insert(db, row).await?;
    }
    Ok(true)
}

/// A request for a change.
#[derive(Clone, Copy)]
enum Change {
    Freeze(FreezeScope),
    Unfreeze,
}

/// Resolves a name, and locks the accounts of its owners and the making of new ones. A writer locks in the same order.
async fn lock_owners(db: &GuardedTransaction, name: &str) -> Result<Vec<String>, DbErr> {
    let owners = owners_of(&**db, name).await?;
    lock_accounts(db, &owners).await?;
    lock(&**db, Lock::Identities).await?;
    // Until then, another instance may have made an account, or linked the name.
    lock_accounts(db, &owners).await?;
    match owners_of(&**db, name).await? == owners {
        true => Ok(owners),
        false => Err(DbErr::Custom(RENAMED.into())),
    }
}

/// Locks the accounts of owners, for which it waits until the transactions that have them are over.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn lock_accounts(
    db: &GuardedTransaction,
    owners: &[String],
) -> Result<Vec<account::Model>, DbErr> {
    account::Entity::find()
        .filter(account::Column::Owner.is_in(owners))
        .order_by_asc(account::Column::Id)
        .lock_exclusive()
        .all(&**db)
        .await
}

/// The owners under whose names the accounts of a person stand, in order: that of accounts to come is the first.
async fn owners_of(db: &impl ConnectionTrait, name: &str) -> Result<Vec<String>, DbErr> {
    let links = identity::Entity::find()
        .filter(identity::Column::Name.eq(name))
        .order_by_asc(identity::Column::Asset)
        .all(db)
        .await?;
    let whole = links.iter().find(|link| link.asset.is_empty());
    let mut owners = vec![whole.map_or_else(|| name.to_owned(), |link| link.owner.clone())];
    for link in links {
        if !owners.contains(&link.owner) {
            owners.push(link.owner);
        }
    }
    Ok(owners)
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
/// stricter freeze stays. If accounts stay under the name, it is for these too.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn hand_over(
    db: &GuardedTransaction,
    name: &str,
    owner: &str,
    keeps_accounts: bool,
) -> Result<(), DbErr> {
    let find = |owner: &str| frozen_owner::Entity::find_by_id(owner).one(&**db);
    let strictest = match (find(name).await?, find(owner).await?) {
        (Some(of_name), Some(of_owner)) if of_owner.scope >= of_name.scope => of_owner,
        (Some(of_name), _) => of_name,
        (None, Some(of_owner)) => of_owner,
        (None, None) => return Ok(()),
    };
    let kept = keeps_accounts.then_some(name);
    for frozen in [name, owner] {
        remove(db, frozen).await?;
        if frozen == owner || kept == Some(frozen) {
            let owner = frozen.to_owned();
            let row = frozen_owner::Model {
                owner,
                ..strictest.clone()
            };
            insert(db, row).await?;
        }
    }
    Ok(())
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
    let owners = owners_of(db, name).await?;
    let accounts = account::Entity::find()
        .filter(account::Column::Owner.is_in(&owners))
        .all(db)
        .await?;
    let mut balances = BTreeMap::<String, i64>::new();
    for account in accounts {
        // A link leaves an empty account behind where both names had one.
        *balances.entry(account.asset).or_default() += account.balance;
    }
    let owner = owners.into_iter().next();
    Ok(Holdings {
        owner: owner.unwrap_or_else(|| name.to_owned()),
        balances: balances.into_iter().collect(),
    })
}
