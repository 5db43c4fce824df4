//! Upkeep: expiring, purging, the journal, the audit, and copies.

pub mod audit;
pub mod copy;
pub mod details;
mod expire;
pub mod journal;
pub mod key_uses;
mod purge;
