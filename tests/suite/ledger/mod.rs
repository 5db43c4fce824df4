//! The ledger under the program: what is on disk is what was answered.

mod allowance;
mod both;
mod clock;
mod crash;
mod database;
mod every_column;
mod expire;
mod freeze;
pub mod journal;
mod key_uses;
mod links;
mod midnight;
mod panic;
mod parity;
mod purge;
mod queue;
mod schema;
mod seal;
mod tamper;
mod together;
mod upgrade;
pub mod write_load;
