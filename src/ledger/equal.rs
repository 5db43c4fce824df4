//! The databases side by side: whatever is said of one of them is true of each.

mod book;
#[path = "../../tests/suite/database.rs"]
#[allow(dead_code, missing_docs, reason = "the suite uses all of it")]
mod database;
mod lanes;
mod schema;

pub use database::{Home, databases};
