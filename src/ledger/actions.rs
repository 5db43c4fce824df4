//! The rows of actions: what was answered, and how often a limited one has moved points.

use sea_orm::{ConnectionTrait, DbErr};

use super::book::{Book, Recorded, Tally};
use super::posting::Unit;
use super::sql::{self, Script};
use super::store::{distinct, hexed, named};

/// Loads what the actions of `units` touch.
///
/// # Errors
/// Where the database does not answer.
pub async fn load(
    db: &impl ConnectionTrait,
    units: &[&Unit],
    book: &mut Book,
) -> Result<(), DbErr> {
    let actions = || units.iter().filter_map(|unit| unit.action.as_ref());
    let keys = distinct(actions().map(|action| action.key()));
    for (place, answer) in sql::ask::<(usize, String)>(db, &sql::ANSWERS, &hexed(&keys), []).await?
    {
        book.put_answered(*named(&keys, place)?, answer);
    }
    let tallies =
        distinct(actions().filter_map(|action| Tally::of(action).map(|(tally, _)| tally)));
    let rows: Vec<_> = tallies
        .iter()
        .map(|tally| (&tally.owner, &tally.name, tally.from, tally.until))
        .collect();
    for (place, count) in sql::ask::<(usize, i64)>(db, &sql::TALLIES, &rows, []).await? {
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
    script.tell(&sql::ADD_ACTIONS, &rows).await
}
