//! The database's rows as SeaORM entities: data only, no rules. The schema in `migration` repeats which values a column takes.
//!
//! Times are milliseconds since 1970-01-01 UTC; points are whole numbers; keys and fingerprints are the first 16 bytes of a
//! SHA-256.

pub mod account;
pub mod action;
pub mod contra;
pub mod credit_allowance;
pub mod daily_limit_slot;
pub mod entry;
pub mod follow;
pub mod frozen_owner;
pub mod identity;
pub mod journal;
pub mod key_use;
pub mod lot;
pub mod member;
pub mod message;
pub mod nonce;
pub mod opening;
pub mod origin;
pub mod payment;
pub mod seal;
pub mod sealed_account;
pub mod tally;
