//! What the payment provider has told of a payment.

use sea_orm::entity::prelude::*;

/// An event of the provider's; a charge that succeeded has one row, whatever the number of its events.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// The charge, where it has succeeded.
    pub charge_id: Option<String>,
    /// What happened: `charge.succeeded`.
    pub kind: String,
    /// What it happened to: a charge, a refund.
    pub object: Option<String>,
    /// The shop's order.
    pub order_no: Option<String>,
    /// Cents.
    pub amount: Option<i64>,
    /// Cents that are settled.
    pub amount_settle: Option<i64>,
    /// `cny`.
    pub currency: Option<String>,
    /// `wx`, `alipay`, …
    pub channel: Option<String>,
    /// The channel's own number.
    pub transaction_no: Option<String>,
    /// The payer, where the metadata names one.
    pub user_key: Option<String>,
    /// When the object was made (seconds since 1970 UTC).
    pub created: Option<i64>,
    /// When it was paid (seconds since 1970 UTC).
    pub time_paid: Option<i64>,
    /// When it was told (ms).
    pub at: i64,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
