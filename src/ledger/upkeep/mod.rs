//! What keeps a ledger in order: expiry, purging, the audit, and copies.

pub mod audit;
pub mod copy;
mod expire;
mod purge;
