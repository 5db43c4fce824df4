//! Reads: balances, which are coalesced, histories, and points that are due.

pub(crate) mod balances;
pub mod caused;
pub mod due;
pub mod entries;
pub mod gains;
pub mod history;
pub mod liability;
pub mod lookup;
pub mod named;
pub mod pages;
pub mod prove;
pub mod seals;
pub mod statement;
pub mod walk;
