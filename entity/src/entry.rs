//! An entry: one movement of points. It never changes.

use sea_orm::entity::prelude::*;

/// One movement between a member's account and a contra account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entry")]
pub struct Model {
    /// The member's account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: i64,
    /// 1, 2, 3, … within the account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// When it happened (ms).
    pub at: i64,
    /// Why points moved: the number that the wire calls `type` (1–22 for coins).
    pub reason: i64,
    /// Points, positive if the account gained; never 0.
    pub amount: i64,
    /// The account's balance after the entry.
    pub balance_after: i64,
    /// The contra account: `issued`, `redeemed` or, for expired points, `lapsed`.
    pub contra: String,
    /// 1 for income, 2 for an expense: the sign of `amount`.
    pub direction: i64,
    /// 1, 2, 3, … within the account and direction, so that a page is found without counting.
    pub direction_seq: i64,
    /// The caller's reference: an order, a place, a review.
    pub reference: Option<String>,
    /// The caller's text.
    pub message: Option<String>,
    /// The back-office user who asked for it.
    pub operator: Option<i64>,
    /// Identifies the request, so that a retry finds the entry; no two have the same. Null if each request counts.
    pub idempotency_key: Option<Vec<u8>>,
    /// The key of the request's content, which a retry must repeat; null if `idempotency_key` is.
    pub fingerprint: Option<Vec<u8>>,
    /// The balance that was answered, which includes what expired with the entry; null if `idempotency_key` is.
    pub idempotency_balance: Option<i64>,
    /// The format, which says what `hash` covers: 1 or 2.
    pub version: i64,
    /// When the ledger recorded it (ms); null in the first format, like all of the columns below.
    pub recorded_at: Option<i64>,
    /// Who asked for it: a row of `origin`. There is no foreign key, which would make all writers lock the rows of a few origins.
    pub origin_id: Option<i64>,
    /// The request that asked for it; null if no request did.
    pub request_id: Option<String>,
    /// Its effect on each lot: `EXPIRY:POINTS`, joined by commas. In the first format only a spend on an order has it, as
    /// `EXPIRY:POINTS:RETURNED`.
    #[sea_orm(column_type = "Text", nullable)]
    pub lots: Option<String>,
    /// The key of the account and the order that it spent on or gave back of; null without one.
    pub order_key: Option<Vec<u8>>,
    /// SHA-256 over the hash of the entry before it and this one's content, 32 bytes.
    pub hash: Vec<u8>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
