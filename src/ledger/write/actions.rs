//! The rows of actions and of their daily limits.

use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::book::Book;
use crate::ledger::book::changes::{Changes, LimitKey};
use crate::ledger::book::transaction::{Action, Transaction};
use crate::ledger::database::statements::{self, Pipeline};
use crate::ledger::write::sets::{at, distinct, hexed, keyed_rows, read_key};

/// Place, scored, identity key, token, owner, name, other and object.
type RecordedRow = (
    usize,
    i64,
    Option<String>,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
);

/// Loads the recorded actions and the limit counts that the transactions' actions touch.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn load(
    db: &impl ConnectionTrait,
    transactions: &[&Transaction],
    book: &mut Book,
) -> Result<(), DbErr> {
    let actions = || transactions.iter().filter_map(|it| it.action.as_ref());
    let keys = distinct(actions().flat_map(|action| [action.key, action.identity()]));
    let recorded = &statements::RECORDED_ACTIONS;
    let rows: Vec<RecordedRow> = statements::query(db, recorded, &hexed(&keys), []).await?;
    for (place, scored, erased, token, owner, name, other, object) in rows {
        let (other, object) = (other.as_deref(), object.as_deref());
        let identity = match erased {
            Some(identity) => read_key(&identity)?,
            None => Action::identity_of(&token, &owner, &name, other, object),
        };
        book.put_recorded_action(*at(&keys, place)?, identity, scored == 1);
    }
    let limits = distinct(actions().filter_map(|action| LimitKey::of(action).map(|it| it.0)));
    let rows: Vec<_> = limits
        .iter()
        .map(|limit| (&limit.owner, &limit.name, limit.from, limit.until))
        .collect();
    let counts = &statements::LIMIT_COUNTS;
    for (place, count) in statements::query::<(usize, i64)>(db, counts, &rows, []).await? {
        book.put_limit_count(at(&limits, place)?.clone(), count);
    }
    Ok(())
}

/// Saves new actions and the daily-limit slots that they took.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, or if another writer recorded one of the actions or took one of the
/// slots.
pub async fn save(
    pipeline: &mut Pipeline<'_, impl ConnectionTrait>,
    changes: &Changes,
) -> Result<(), DbErr> {
    let slots = changes.limit_slots.iter();
    let slots = keyed_rows(slots.map(|slot| (slot.expires_at, slot.key)));
    pipeline
        .execute(&statements::ADD_LIMIT_SLOTS, &slots)
        .await?;
    let rows: Vec<_> = changes
        .actions
        .iter()
        .map(|recorded| {
            let action = &recorded.action;
            (
                hex::encode(recorded.key.bytes()),
                &action.token,
                &action.owner,
                &action.name,
                action.other.as_deref(),
                action.object.as_deref(),
                recorded.at,
                i64::from(recorded.scored),
            )
        })
        .collect();
    pipeline.execute(&statements::ADD_ACTIONS, &rows).await
}
