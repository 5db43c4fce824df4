//! The database's rows as SeaORM entities: data only, no rules. What each column means stands here; which values it
//! may take is repeated by the schema in `migration`.
//!
//! Times are milliseconds since 1970-01-01 UTC; points are whole numbers; a `*_key` is the first 16 bytes of a SHA-256.

pub mod account;
pub mod action;
pub mod alias;
pub mod counter;
pub mod daily_limit_slot;
pub mod draw;
pub mod entry;
pub mod follow;
pub mod lot;
pub mod member;
pub mod message;
pub mod nonce;
pub mod payment;
