//! The command line, as an operator meets it.

mod commands;
mod configuration;
mod copy;
mod log;
mod sign;
mod stop;
