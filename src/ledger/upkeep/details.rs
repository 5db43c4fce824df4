//! Erasing the details of actions: token, counterpart and object. What makes an action itself stays as a key, so that a repeat is
//! recognised, and its owner, kind and time stay, so that it counts towards its limit.

use entity::action::{Column, Entity};
use sea_orm::sea_query::{CaseStatement, Expr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::ledger::book::transaction::Action;
use crate::ledger::database::guarded::GuardedTransaction;
use crate::ledger::{ApplyError, Ledger};

/// The actions of one statement.
const ROWS: u64 = 250;
/// The most transactions of one call, so that it ends however much is due.
const STEPS: usize = 200;

/// The actions that still have details.
fn with_details() -> Select<Entity> {
    Entity::find().filter(Column::IdentityKey.is_null())
}

/// Whether there are details that [`erase_of`] would erase, beside those of actions of others that name one of these owners.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn has_details(db: &impl ConnectionTrait, owners: &[String]) -> Result<bool, DbErr> {
    let of_owners = with_details().filter(Column::Owner.is_in(owners));
    Ok(of_owners.one(db).await?.is_some())
}

/// The ids of the actions with details that name one of these owners as their counterpart. No index leads to them: it reads the table,
/// and belongs outside of a transaction that locks.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn naming(db: &impl ConnectionTrait, owners: &[String]) -> Result<Vec<i64>, DbErr> {
    let (mut found, mut last) = (Vec::new(), i64::MIN);
    loop {
        let ids: Vec<i64> = with_details()
            .select_only()
            .column(Column::Id)
            .filter(Column::Other.is_in(owners))
            .filter(Column::Id.gt(last))
            .order_by_asc(Column::Id)
            .limit(ROWS)
            .into_tuple()
            .all(db)
            .await?;
        let Some(&newest) = ids.last() else {
            return Ok(found);
        };
        last = newest;
        found.extend(ids);
    }
}

/// Erases the details of the actions of these owners and of those with these ids. Returns their number.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn erase_of(
    db: &GuardedTransaction,
    owners: &[String],
    ids: &[i64],
) -> Result<usize, DbErr> {
    let mut erased = 0;
    loop {
        let of_owners = with_details().filter(Column::Owner.is_in(owners));
        match erase_some(db, of_owners.order_by_asc(Column::Id)).await? {
            0 => break,
            some => erased += some,
        }
    }
    for ids in ids.chunks(usize::try_from(ROWS).unwrap_or(1)) {
        let of_ids = with_details().filter(Column::Id.is_in(ids.iter().copied()));
        erased += erase_some(db, of_ids).await?;
    }
    Ok(erased)
}

/// Erases the details of some actions that a query finds. Returns their number: zero if there are none.
async fn erase_some(db: &GuardedTransaction, query: Select<Entity>) -> Result<usize, DbErr> {
    let actions = query.limit(ROWS).lock_exclusive().all(db).await?;
    if actions.is_empty() {
        return Ok(0);
    }
    let mut identity = CaseStatement::new();
    for action in &actions {
        let (other, object) = (action.other.as_deref(), action.object.as_deref());
        let key = Action::identity_of(&action.token, &action.owner, &action.name, other, object);
        identity = identity.case(Column::Id.eq(action.id), key.bytes().to_vec());
    }
    let none = || Expr::val(Option::<String>::None);
    Entity::update_many()
        .col_expr(Column::IdentityKey, identity.into())
        .col_expr(Column::Token, Expr::val(""))
        .col_expr(Column::Other, none())
        .col_expr(Column::Object, none())
        .filter(Column::Id.is_in(actions.iter().map(|action| action.id)))
        .exec(db)
        .await?;
    Ok(actions.len())
}

impl Ledger {
    /// Erases the details of actions that were recorded before `before` (ms), the oldest first, in small transactions. A call does a
    /// bounded part of what is due. Returns the number of actions.
    ///
    /// # Errors
    /// Returns [`ApplyError::Unavailable`] if the clock is not trusted or the database fails; what was erased by then stays erased.
    pub async fn erase_details(&self, before: i64) -> Result<usize, ApplyError> {
        self.trusted_now()?;
        let mut erased = 0;
        for _ in 0..STEPS {
            match self.erase_oldest(before).await {
                Ok(0) => break,
                Ok(some) => erased += some,
                Err(error) => {
                    log::error!("cannot erase the details of actions: {error}");
                    return Err(ApplyError::Unavailable);
                }
            }
        }
        Ok(erased)
    }

    async fn erase_oldest(&self, before: i64) -> Result<usize, DbErr> {
        let due = with_details().filter(Column::At.lt(before));
        let due = due.order_by_asc(Column::At);
        // Most calls find nothing, and need not write.
        if due.clone().one(self.database.read()).await?.is_none() {
            return Ok(0);
        }
        let transaction = self.database.begin_write().await?;
        let erased = erase_some(&transaction, due).await?;
        transaction.commit().await?;
        Ok(erased)
    }
}
