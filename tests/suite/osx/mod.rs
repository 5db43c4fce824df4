//! The OSX community dialect, called by a client written from protocols.md part 3 alone.

pub mod client;
mod coins;
mod link;
mod notify;
mod permissions;
mod readings;
mod retries;
mod rules;
mod user_info;
