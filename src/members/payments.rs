//! Payments: the events of the payment provider.

use entity::payment;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QueryTrait,
};

use super::{Members, Payment};
use crate::ledger::ReadError;

impl Members {
    /// Reads the stored events of a subject, and the one with this id.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database does not answer.
    pub async fn payment_events(
        &self,
        event_id: &str,
        subject: &str,
    ) -> Result<Vec<Payment>, ReadError> {
        let known = Condition::any()
            .add(payment::Column::EventId.eq(event_id))
            .add(payment::Column::Subject.eq(subject));
        let known = payment::Entity::find().filter(known);
        let db = self.ledger.database().read();
        Ok(self
            .ledger
            .database()
            .again(|| known.clone().all(db))
            .await?)
    }

    /// Reads the stored events, oldest first; with `order`, only those of that order number and those of its charges.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database does not answer.
    pub async fn payments(&self, order: Option<&str>) -> Result<Vec<Payment>, ReadError> {
        let payments = payment::Entity::find()
            .apply_if(order, |query, order| {
                let charges = Query::select()
                    .column(payment::Column::ChargeId)
                    .from(payment::Entity)
                    .and_where(payment::Column::OrderNo.eq(order))
                    .and_where(payment::Column::ChargeId.is_not_null())
                    .take();
                let of_order = Condition::any()
                    .add(payment::Column::OrderNo.eq(order))
                    .add(payment::Column::Subject.in_subquery(charges));
                query.filter(of_order)
            })
            .order_by_asc(payment::Column::At)
            .order_by_asc(payment::Column::EventId)
            .all(self.ledger.database().read())
            .await?;
        Ok(payments)
    }
}

/// Whether events name this payer.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub(super) async fn has_payer(db: &impl ConnectionTrait, user_key: &str) -> Result<bool, DbErr> {
    let events = payment::Entity::find().filter(payment::Column::UserKey.eq(user_key));
    Ok(events.one(db).await?.is_some())
}

/// Erases the name of a payer. The events stay, with the order and the amount that the shop knows them by.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub(super) async fn erase_payer(db: &impl ConnectionTrait, user_key: &str) -> Result<(), DbErr> {
    payment::Entity::update_many()
        .col_expr(payment::Column::UserKey, Expr::val(Option::<String>::None))
        .filter(payment::Column::UserKey.eq(user_key))
        .exec(db)
        .await?;
    Ok(())
}
