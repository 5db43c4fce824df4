//! Reads: balances, which are coalesced, and histories.

pub(crate) mod balances;
pub mod entries;
pub mod gains;
pub mod history;
