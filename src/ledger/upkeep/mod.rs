//! Upkeep: expiring, purging, the audit, and copies.

pub mod audit;
pub mod copy;
mod expire;
pub mod key_uses;
mod purge;
