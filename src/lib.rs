//! Map.
pub mod cli;
pub mod clock;
pub mod config;
pub mod gateway;
pub mod ledger;
pub mod server;
pub mod sign;
pub mod yoho;
