//! The tallies of what a batch adds.

use entity::{action, daily_limit_slot, nonce};
use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::book::changes::{Changes, LimitSlot, RecordedAction};
use crate::ledger::book::tally::{Tallied, Tally};
use crate::ledger::book::transaction::Nonce;
use crate::ledger::database::statements::{self, Pipeline};

/// Adds the rows of a batch to this shard of the tallies.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn save(
    pipeline: &mut Pipeline<'_, impl ConnectionTrait>,
    changes: &Changes,
    shard: i64,
) -> Result<(), DbErr> {
    let rows = [
        part(shard, changes.actions.iter().map(action_row)),
        part(shard, changes.limit_slots.iter().map(slot_row)),
        part(shard, changes.nonces.iter().map(nonce_row)),
        part(shard, changes.payments.iter().cloned()),
    ];
    let rows: Vec<_> = rows.into_iter().filter(|row| row.2 > 0).collect();
    let add = &statements::ADD_TO_TALLIES;
    pipeline.execute(add, &rows).await
}

fn part<R: Tallied>(shard: i64, rows: impl Iterator<Item = R>) -> (&'static str, i64, i64, i64) {
    let mut tally = Tally::default();
    rows.for_each(|row| tally.add(&row));
    (R::TABLE, shard, tally.rows, tally.checksum)
}

fn action_row(recorded: &RecordedAction) -> action::Model {
    let action = &recorded.action;
    action::Model {
        id: 0,
        action_key: recorded.key.bytes().to_vec(),
        identity_key: None,
        token: action.token.clone(),
        owner: action.owner.clone(),
        name: action.name.clone(),
        other: action.other.clone(),
        object: action.object.clone(),
        at: recorded.at,
        scored: i64::from(recorded.scored),
    }
}

fn slot_row(slot: &LimitSlot) -> daily_limit_slot::Model {
    daily_limit_slot::Model {
        expires_at: slot.expires_at,
        slot_key: slot.key.bytes().to_vec(),
    }
}

fn nonce_row(nonce: &Nonce) -> nonce::Model {
    nonce::Model {
        at: nonce.at,
        nonce_key: nonce.key.bytes().to_vec(),
        fingerprint: nonce.fingerprint.map(|it| it.bytes().to_vec()),
    }
}
