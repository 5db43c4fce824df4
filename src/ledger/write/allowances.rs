//! The rows of allowances: what callers' transactions have earned by them.

use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::book::Book;
use crate::ledger::book::changes::Changes;
use crate::ledger::book::transaction::Transaction;
use crate::ledger::database::statements::{self, Pipeline};
use crate::ledger::write::sets::{at, distinct, keyed_rows};

/// Loads what has been used of the transactions' allowances, and locks it. It comes after the accounts, so that writers lock in one
/// order.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn load(
    db: &impl ConnectionTrait,
    transactions: &[&Transaction],
    book: &mut Book,
) -> Result<(), DbErr> {
    let allowances = transactions
        .iter()
        .filter_map(|it| it.credit_limit?.allowance);
    let keys = distinct(allowances.map(|allowance| (allowance.expires_at, allowance.key)));
    let rows = keyed_rows(keys.iter().copied());
    let used = &statements::ALLOWANCES;
    for (place, points) in statements::query::<(usize, i64)>(db, used, &rows, []).await? {
        let (expires_at, key) = *at(&keys, place)?;
        book.put_used_allowance(expires_at, key, points);
    }
    Ok(())
}

/// Saves what has been used of allowances.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, or if another writer was the first to use one of the allowances.
pub async fn save(
    pipeline: &mut Pipeline<'_, impl ConnectionTrait>,
    changes: &Changes,
) -> Result<(), DbErr> {
    let rows = |is_stored: bool| -> Vec<(i64, String, i64)> {
        let used = changes.used_allowances.iter();
        used.filter(|(_, used)| used.is_stored == is_stored)
            .map(|((expires_at, key), used)| (*expires_at, hex::encode(key.bytes()), used.points))
            .collect()
    };
    pipeline
        .execute(&statements::ADD_ALLOWANCES, &rows(false))
        .await?;
    pipeline
        .execute(&statements::SET_ALLOWANCES, &rows(true))
        .await
}
