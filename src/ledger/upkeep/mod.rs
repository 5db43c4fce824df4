//! Upkeep: the clock, expiring, purging, freezes, the journal, the audit, copies, and seals.

pub mod audit;
mod clock;
pub mod copy;
pub mod details;
mod expire;
pub mod freeze;
pub mod journal;
pub mod key_uses;
mod purge;
pub mod seal;
