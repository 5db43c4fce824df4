//! What a spend took from which lot, so that a return goes back to exactly those.

use sea_orm::entity::prelude::*;

/// The part of one spend that came out of one lot.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "allocation")]
pub struct Model {
    /// The key of the account and the order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_key: Vec<u8>,
    /// The number of the spending entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub spend_seq: i64,
    /// The lot's expiry (ms).
    #[sea_orm(primary_key, auto_increment = false)]
    pub expires_at: i64,
    /// The account that spent.
    pub account_id: i64,
    /// Points taken from the lot.
    pub drawn: i64,
    /// Points given back since, at most `drawn`.
    pub returned: i64,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
