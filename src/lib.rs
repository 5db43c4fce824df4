//! The house: one module after the other moves in.
pub mod clock;
pub mod config;
pub mod ledger;
