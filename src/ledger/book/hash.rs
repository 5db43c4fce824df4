//! Hashes, and how texts and keys go into them.

use sha2::{Digest, Sha256};

use super::key::Key;

/// A SHA-256; all zero before the first entry of an account and before the first record of the journal.
pub type Hash = [u8; 32];

/// Hashes a key as the text of its hexadecimal digits.
pub(super) fn update_key(hash: &mut Sha256, key: Option<Key>) {
    let mut digits = [0; 32];
    let digits = key.map(|key| hex_in(&key.bytes(), &mut digits));
    update_bytes(hash, digits);
}

/// Writes bytes as hexadecimal digits into a buffer of twice their number.
pub(super) fn hex_in<'b>(bytes: &[u8], buffer: &'b mut [u8]) -> &'b [u8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(buffer.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    buffer
}

/// Hashes a text after its length, or the greatest length in place of an absent one.
pub(super) fn update_text(hash: &mut Sha256, text: Option<&str>) {
    update_bytes(hash, text.map(str::as_bytes));
}

/// Hashes bytes after their number, or the greatest number in place of absent ones.
pub(super) fn update_bytes(hash: &mut Sha256, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        None => hash.update(u64::MAX.to_be_bytes()),
    }
}
