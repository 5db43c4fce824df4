//! Keys: sixteen bytes that stand for a list of words. They give a reference of any length one small column, which every
//! database compares alike.

use sha2::{Digest, Sha256};

/// The first 16 bytes of a SHA-256 over words, each hashed after its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of these words, in this order; `["ab", "c"]` and `["a", "bc"]` have different keys.
    pub fn of(words: &[&str]) -> Key {
        let mut hash = Sha256::new();
        for word in words {
            hash.update((word.len() as u64).to_be_bytes());
            hash.update(word.as_bytes());
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Key(key)
    }

    /// The bytes, as the database stores them.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Reads stored bytes. Returns `None` if there are not 16 of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Key> {
        bytes.try_into().ok().map(Key)
    }

    /// Reads stored bytes from hexadecimal. Returns `None` if they are not 16.
    pub fn from_hex(text: &str) -> Option<Key> {
        let mut key = [0; 16];
        hex::decode_to_slice(text, &mut key).ok().map(|()| Key(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_not_run_into_each_other() {
        assert_ne!(Key::of(&["ab", "c"]), Key::of(&["a", "bc"]));
        assert_ne!(Key::of(&["a"]), Key::of(&["a", ""]));
        assert_eq!(Key::of(&["a", "b"]), Key::of(&["a", "b"]));
    }

    #[test]
    fn a_key_survives_storage() {
        let key = Key::of(&["x"]);
        assert_eq!(Key::from_hex(&hex::encode(key.bytes())), Some(key));
        assert_eq!(Key::from_hex("ab"), None);
        assert_eq!(Key::from_bytes(&key.bytes()), Some(key));
        assert_eq!(Key::from_bytes(b"ab"), None);
    }
}
