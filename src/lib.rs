//! The house: one module after the other moves in.
pub mod config;
