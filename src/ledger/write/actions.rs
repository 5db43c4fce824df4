//! The rows of actions: what was answered, and how often a limited one has moved points.

use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::book::transaction::Transaction;
use crate::ledger::book::{Book, Recorded, Tally};
use crate::ledger::database::statements::{self, Script};
use crate::ledger::write::rows::{distinct, hexed, named};

/// Loads what the actions of `units` touch.
///
/// # Errors
/// Where the database does not answer.
pub async fn load(
    db: &impl ConnectionTrait,
    units: &[&Transaction],
    book: &mut Book,
) -> Result<(), DbErr> {
    let actions = || units.iter().filter_map(|unit| unit.action.as_ref());
    let keys = distinct(actions().map(|action| action.key()));
    for (place, answer) in
        statements::ask::<(usize, String)>(db, &statements::ANSWERS, &hexed(&keys), []).await?
    {
        book.put_answered(*named(&keys, place)?, answer);
    }
    let tallies =
        distinct(actions().filter_map(|action| Tally::of(action).map(|(tally, _)| tally)));
    let rows: Vec<_> = tallies
        .iter()
        .map(|tally| (&tally.owner, &tally.name, tally.from, tally.until))
        .collect();
    for (place, count) in
        statements::ask::<(usize, i64)>(db, &statements::TALLIES, &rows, []).await?
    {
        book.put_tally(named(&tallies, place)?.clone(), count);
    }
    Ok(())
}

/// Writes new actions.
///
/// # Errors
/// Where the database does not answer, or one of them is recorded already.
pub async fn save(
    script: &mut Script<'_, impl ConnectionTrait>,
    recorded: &[Recorded],
) -> Result<(), DbErr> {
    let rows: Vec<_> = recorded
        .iter()
        .map(|row| {
            let action = &row.action;
            (
                hex::encode(row.key.bytes()),
                &action.token,
                &action.owner,
                &action.name,
                action.other.as_deref(),
                action.object.as_deref(),
                row.at,
                i64::from(row.scored),
                &row.answer,
            )
        })
        .collect();
    script.tell(&statements::ADD_ACTIONS, &rows).await
}
