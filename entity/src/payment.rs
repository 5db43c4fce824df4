//! An event of the payment provider's.

use sea_orm::entity::prelude::*;

/// One event. A charge that succeeded has one row, however many events report it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    /// The provider's id of the event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// The charge, if the event says that it succeeded.
    pub charge_id: Option<String>,
    /// The event's type: `charge.succeeded`.
    pub kind: String,
    /// The object that the event is about: a charge, a refund.
    pub object: Option<String>,
    /// The shop's order.
    pub order_no: Option<String>,
    /// The charged amount, in cents.
    pub amount: Option<i64>,
    /// The settled amount, in cents.
    pub amount_settle: Option<i64>,
    /// `cny`.
    pub currency: Option<String>,
    /// `wx`, `alipay`, …
    pub channel: Option<String>,
    /// The channel's own number.
    pub transaction_no: Option<String>,
    /// The payer, if the metadata names one.
    pub user_key: Option<String>,
    /// When the object was created (seconds since 1970 UTC).
    pub created: Option<i64>,
    /// When it was paid (seconds since 1970 UTC).
    pub time_paid: Option<i64>,
    /// When the event arrived (ms).
    pub at: i64,
    /// What the event is about: the charge that succeeded or was refunded, otherwise the event itself.
    pub subject: String,
    /// How many events of the subject were stored before.
    pub subject_seq: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
