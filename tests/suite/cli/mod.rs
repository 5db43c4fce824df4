//! The command line, as operators use it.

mod audit;
mod blocked_log;
mod commands;
mod configuration;
pub mod copy;
mod corrections;
mod entries;
mod explain;
mod freeze;
mod journal;
mod log;
mod output;
mod pairs;
mod private;
mod read_only;
mod reload;
mod seal;
mod sign;
mod statement;
mod stop;
mod witness;
