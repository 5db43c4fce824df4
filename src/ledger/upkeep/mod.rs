//! Upkeep: expiring, purging, the journal, the audit, and copies.

pub mod audit;
pub mod copy;
mod expire;
pub mod journal;
pub mod key_uses;
mod purge;
