//! Upkeep: expiring, purging, freezes, the journal, the audit, and copies.

pub mod audit;
pub mod copy;
pub mod details;
mod expire;
pub mod freeze;
pub mod journal;
pub mod key_uses;
mod purge;
