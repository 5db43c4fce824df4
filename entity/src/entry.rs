//! An entry: one movement of points, never changed once written.

use sea_orm::entity::prelude::*;

/// One movement between a member's account and a counter account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entry")]
pub struct Model {
    /// The member's side.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: i64,
    /// 1, 2, 3, … within the account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// When (ms).
    pub at: i64,
    /// What for: the number of the points' type (1–22 for coins).
    pub kind: i64,
    /// Points, signed as the member sees them, never 0.
    pub amount: i64,
    /// The account's balance afterwards.
    pub balance_after: i64,
    /// The other side: `issued`, `redeemed` or `lapsed`.
    pub counter: String,
    /// 1 income, 2 expense: the sign of `amount`.
    pub direction: i64,
    /// 1, 2, 3, … within the account and direction, so that a page is found without counting.
    pub direction_seq: i64,
    /// The caller's reference: an order, a place, a review.
    pub reference: Option<String>,
    /// The text that the caller gave it, where there is one.
    pub message: Option<String>,
    /// The back-office user who did it, where there is one.
    pub operator: Option<i64>,
    /// The key of (account, kind of request, reference) under which a retry finds it; no two have the same. The entry has
    /// none where each request counts.
    pub guard_key: Option<Vec<u8>>,
    /// The key of what was asked under `guard_key`, there where that is.
    pub content_key: Option<Vec<u8>>,
    /// The balance that was answered, there where `guard_key` is: what lapses with the entry counts.
    pub answered: Option<i64>,
    /// SHA-256 over the hash of the entry before and this one's content, 32 bytes.
    pub hash: Vec<u8>,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
