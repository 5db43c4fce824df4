//! The command line, as an operator meets it.

mod commands;
mod configuration;
mod log;
mod nginx;
mod readme;
mod sign;
mod stop;
