//! The freezes of owners, as a batch of transactions finds them.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::book::Book;
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::transaction::{Posting, PostingKind};
use crate::ledger::database::retry::FROZEN;
use crate::ledger::database::statements;
use crate::ledger::write::sets::{at, distinct, invalid};

/// Loads the freezes of the postings' owners. It comes after the accounts, whose locks a freeze waits for: a freeze that was
/// committed before they were taken counts.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, or holds a row that the ledger cannot have written.
pub async fn load(
    db: &impl ConnectionTrait,
    postings: &[&Posting],
    book: &mut Book,
) -> Result<(), DbErr> {
    // Points expire whether or not their owner is frozen.
    let callers = postings
        .iter()
        .filter(|posting| !matches!(posting.kind, PostingKind::Expire { .. }));
    let owners = callers.map(|posting| book.owner_of(&posting.account).to_owned());
    let owners = distinct(owners);
    for (place, scope) in read(db, &owners).await? {
        book.put_frozen(at(&owners, place)?.clone(), scope);
    }
    Ok(())
}

/// Checks that owners are frozen as they were when the batch was loaded.
///
/// # Errors
/// Returns [`DbErr`] if one was frozen since, or if the database does not answer.
pub async fn check(
    db: &impl ConnectionTrait,
    owners: &[&str],
    loaded: &HashMap<String, FreezeScope>,
) -> Result<(), DbErr> {
    for (place, scope) in read(db, owners).await? {
        if loaded.get(*at(owners, place)?) != Some(&scope) {
            return Err(invalid(FROZEN));
        }
    }
    Ok(())
}

/// The places of the owners that are frozen.
async fn read(
    db: &impl ConnectionTrait,
    owners: &[impl serde::Serialize],
) -> Result<Vec<(usize, FreezeScope)>, DbErr> {
    let rows: Vec<(usize, i64)> =
        statements::query(db, &statements::FROZEN_OWNERS, owners, []).await?;
    let known = |(place, scope): (usize, i64)| {
        let scope = FreezeScope::from_number(scope);
        Ok((
            place,
            scope.ok_or_else(|| invalid("a freeze of an unknown scope"))?,
        ))
    };
    rows.into_iter().map(known).collect()
}
