//! The rows of payments' events. They are few, so that the ORM writes them.

use entity::payment;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};

use crate::ledger::book::Book;
use crate::ledger::book::transaction::Transaction;
use crate::ledger::write::sets::distinct;

/// The events of one insert, which stays within the parameters that a statement can have.
const ROWS: usize = 200;

/// Loads how many events are recorded of the subjects of the transactions' events.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn load(
    db: &impl ConnectionTrait,
    transactions: &[&Transaction],
    book: &mut Book,
) -> Result<(), DbErr> {
    let events = transactions.iter().filter_map(|it| it.payment.as_ref());
    let subjects = distinct(events.map(|event| event.subject.as_str()));
    if subjects.is_empty() {
        return Ok(());
    }
    let counts: Vec<(String, i64)> = payment::Entity::find()
        .select_only()
        .column(payment::Column::Subject)
        .column_as(payment::Column::EventId.count(), "events")
        .filter(payment::Column::Subject.is_in(subjects))
        .group_by(payment::Column::Subject)
        .into_tuple()
        .all(db)
        .await?;
    for (subject, count) in counts {
        book.put_payment_count(subject, count);
    }
    Ok(())
}

/// Saves new events.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, or if another writer recorded an event of the same subject.
pub async fn save(db: &impl ConnectionTrait, events: &[payment::Model]) -> Result<(), DbErr> {
    let mut events = events.to_vec();
    // In one order, so that two writers cannot wait for each other.
    events.sort_by(|a, b| (&a.subject, a.subject_seq).cmp(&(&b.subject, b.subject_seq)));
    for rows in events.chunks(ROWS) {
        let rows = rows.iter().cloned().map(IntoActiveModel::into_active_model);
        payment::Entity::insert_many(rows)
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}
