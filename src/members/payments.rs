//! Payments: the events of the payment provider.

use entity::payment;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QueryTrait,
};

use super::{Members, Payment};
use crate::ledger::ReadError;
use crate::ledger::database::retry::lost_race;

impl Members {
    /// Stores an event. Does nothing if the same event, or another event of the same successful charge, is stored already.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database does not answer.
    pub async fn record_payment(&self, payment: Payment) -> Result<(), ReadError> {
        let db = self.ledger.database().begin_write().await?;
        let mut known = Condition::any().add(payment::Column::EventId.eq(&*payment.event_id));
        if let Some(charge) = &payment.charge_id {
            known = known.add(payment::Column::ChargeId.eq(charge.as_str()));
        }
        let known = payment::Entity::find().filter(known).one(&db).await?;
        if known.is_none() {
            match payment.into_active_model().insert(&db).await {
                Ok(_) => db.commit().await?,
                // Another instance stored the event at the same time.
                Err(error) if lost_race(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads the stored events, oldest first; with `order`, only those of that order number.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database does not answer.
    pub async fn payments(&self, order: Option<&str>) -> Result<Vec<Payment>, ReadError> {
        let payments = payment::Entity::find()
            .apply_if(order, |query, order| {
                query.filter(payment::Column::OrderNo.eq(order))
            })
            .order_by_asc(payment::Column::At)
            .order_by_asc(payment::Column::EventId)
            .all(self.ledger.database().read())
            .await?;
        Ok(payments)
    }
}
