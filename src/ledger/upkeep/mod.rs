//! Upkeep: expiring, purging, the audit, and copies.

pub mod audit;
pub mod copy;
mod expire;
mod purge;
