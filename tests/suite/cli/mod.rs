//! The command line, as an operator meets it.

mod commands;
mod configuration;
mod copy;
mod log;
mod nginx;
mod readme;
mod sign;
mod stop;
