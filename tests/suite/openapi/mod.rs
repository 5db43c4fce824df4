//! The open platform, called by a client written from protocols.md part 2 alone.

pub mod client;
mod envelope;
mod full;
mod identity;
mod nonces;
mod permissions;
mod points_add;
mod records;
mod rotation;
mod tokens;
