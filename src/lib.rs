//! Map.
pub mod clock;
pub mod config;
pub mod gateway;
pub mod ledger;
pub mod sign;
pub mod yoho;
