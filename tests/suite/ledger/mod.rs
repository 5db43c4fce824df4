//! The ledger under the program: what is on disk is what was answered.

mod both;
mod crash;
mod database;
mod expire;
mod panic;
mod tamper;
mod together;
pub mod write_load;
