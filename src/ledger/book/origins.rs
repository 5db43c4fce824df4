//! The origins of entries: an entry holds the number and the digest of its origin, which stands in a table of its own.

use sha2::{Digest, Sha256};

use super::hash::{Hash, update_text};
use super::key::Key;
use crate::origin::Origin;

/// What an entry says of its origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredOrigin {
    /// The database's number.
    pub id: i64,
    /// The result of [`OriginRecord::digest`].
    pub digest: Hash,
}

/// An origin as the database stores it. The digest covers a salted hash of the address, so that the address and its salt can be
/// erased while the hashes of entries stay verifiable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRecord {
    /// The endpoint's name, `broker`, `cli` or `pointgate`.
    pub dialect: String,
    /// The caller, by the name that its dialect gives it.
    pub caller: String,
    /// Which of the caller's keys proved it.
    pub key: Option<String>,
    /// The client's address.
    pub address: Option<String>,
    /// What was hashed before the address.
    pub address_salt: Option<[u8; 16]>,
    /// The SHA-256 of the salt and the address.
    pub address_hash: Option<Hash>,
}

impl OriginRecord {
    /// The record of an origin, with a fresh random salt for its address.
    pub fn of(origin: &Origin, salt: [u8; 16]) -> OriginRecord {
        let address = origin.address.map(|address| address.to_string());
        let address_hash = address.as_deref().map(|it| address_hash(&salt, it));
        OriginRecord {
            dialect: origin.dialect.to_owned(),
            caller: clean(&origin.caller),
            key: origin.key.map(str::to_owned),
            address_salt: address.as_ref().map(|_| salt),
            address,
            address_hash,
        }
    }

    /// What the hash of an entry covers of its origin.
    pub fn digest(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(b"pointgate origin 1");
        let address = self.address_hash.map(hex::encode);
        for text in [
            Some(self.dialect.as_str()),
            Some(&self.caller),
            self.key.as_deref(),
            address.as_deref(),
        ] {
            update_text(&mut hash, text);
        }
        hash.finalize().into()
    }

    /// The key by which the origin is found again, for as long as its address is not erased.
    pub fn find_key(&self) -> Key {
        Key::of(&[
            "origin",
            &self.dialect,
            &self.caller,
            self.key.as_deref().unwrap_or_default(),
            self.address.as_deref().unwrap_or_default(),
        ])
    }

    /// Whether the address, unless it was erased with its salt, is the one that the digest covers.
    pub fn has_its_address(&self) -> bool {
        match (&self.address, &self.address_salt, &self.address_hash) {
            (Some(address), Some(salt), Some(hash)) => address_hash(salt, address) == *hash,
            (None, None, _) => true,
            _ => false,
        }
    }
}

/// The key by which an origin is found again.
pub fn origin_key(origin: &Origin) -> Key {
    OriginRecord::of(origin, [0; 16]).find_key()
}

fn address_hash(salt: &[u8; 16], address: &str) -> Hash {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(address);
    hash.finalize().into()
}

/// The most characters of a caller that are kept: two names of the broker's and a colon.
const CALLER_LENGTH: usize = 2 * 255 + 10;

/// A caller as every database can store it. A publisher of the broker can have any name.
fn clean(caller: &str) -> String {
    let visible = |it: char| match it.is_control() {
        true => char::REPLACEMENT_CHARACTER,
        false => it,
    };
    caller.chars().take(CALLER_LENGTH).map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            dialect: "partners",
            caller: "partner-1".into(),
            key: Some("current"),
            address: "203.0.113.9".parse().ok(),
        }
    }

    #[test]
    fn the_digest_covers_everything_and_survives_the_loss_of_the_address() {
        let record = OriginRecord::of(&origin(), [7; 16]);
        assert!(record.has_its_address());
        let changes: [fn(&mut OriginRecord); 4] = [
            |it| it.dialect.push('x'),
            |it| it.caller.push('x'),
            |it| it.key = None,
            |it| it.address_hash = None,
        ];
        for change in changes {
            let mut changed = record.clone();
            change(&mut changed);
            assert_ne!(changed.digest(), record.digest(), "{changed:?}");
        }
        let other_address = OriginRecord {
            address: Some("203.0.113.8".into()),
            ..record.clone()
        };
        assert!(!other_address.has_its_address());
        let erased = OriginRecord {
            address: None,
            address_salt: None,
            ..record.clone()
        };
        assert!(erased.has_its_address());
        assert_eq!(erased.digest(), record.digest());
        let half_erased = OriginRecord {
            address_salt: None,
            ..record
        };
        assert!(!half_erased.has_its_address());
    }

    #[test]
    fn any_caller_can_be_stored() {
        let origin = Origin {
            caller: format!("q:\0{}", "长".repeat(600)),
            ..origin()
        };
        let record = OriginRecord::of(&origin, [0; 16]);
        assert!(record.caller.starts_with("q:\u{fffd}长"));
        assert_eq!(record.caller.chars().count(), CALLER_LENGTH);
    }
}
