//! Proofs for outsiders: the tree of accounts, the log of seals, signed notes and day records. `docs/proofs.md` has every byte.
//!
//! ```text
//! tree.rs        a compact sparse Merkle tree over accounts: presence, absence, one root
//! log.rs         the Merkle tree of RFC 6962 over day records: inclusion and consistency
//! note.rs        signed notes with Ed25519, and their keys        checkpoint.rs  the note's text: name, size, root
//! record.rs      the day record, one leaf of the log              state.rs       what a leaf says of an account
//! entry.rs       an entry as JSON                                 statement.rs   the lines of a statement with its proof
//! ```
//!
//! Nothing here does I/O, so that property tests run it by the thousand.

pub mod checkpoint;
pub mod entry;
pub mod log;
pub mod note;
pub mod record;
pub mod state;
pub mod statement;
pub mod tree;

use crate::ledger::book::entry::Hash;

/// Reads a hash of 64 lower-case hexadecimal digits; `None` for any other text, so that a hash has one spelling.
pub fn hash_from_hex(text: &str) -> Option<Hash> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let mut hash = Hash::default();
    let good = text.bytes().all(is_digit) && hex::decode_to_slice(text, &mut hash).is_ok();
    good.then_some(hash)
}
