//! What does not follow from entries of the first format, or is not covered by their hashes, and the digest by which the journal vouches for it.

use sha2::{Digest, Sha256};

use super::hash::{Hash, update_text};
use super::lots::Lot;
use super::transaction::AccountKey;

/// What an account held after its entries of the first format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The number of the last entry of the first format.
    pub seq: i64,
    /// The lots after it.
    pub lots: Vec<Lot>,
}

/// What an entry of the first format states beside its hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldEntry {
    /// The entry's number.
    pub seq: i64,
    /// The key of the order that it spent on, in hexadecimal.
    pub order: Option<String>,
    /// `EXPIRY:-DRAWN:RETURNED` for each lot, if it spent on an order.
    pub lots: Option<String>,
    /// The fingerprint of its idempotency record, in hexadecimal.
    pub fingerprint: Option<String>,
    /// The answer of its idempotency record.
    pub balance: Option<i64>,
}

impl OldEntry {
    /// Whether the entry states nothing beside its hash.
    pub fn is_empty(&self) -> bool {
        let OldEntry { seq, .. } = *self;
        *self
            == OldEntry {
                seq,
                ..OldEntry::default()
            }
    }
}

/// The digest of one account's opening, whose lots are given as [`write_lots`](super::lots::write_lots) writes them, and of its old
/// entries that state something beside their hashes, in the order of their numbers.
pub fn digest_of(account: &AccountKey, seq: i64, lots: &str, entries: &[OldEntry]) -> Hash {
    let mut hash = Sha256::new();
    for text in [&account.asset, &account.owner, lots] {
        update_text(&mut hash, Some(text));
    }
    hash.update(seq.to_be_bytes());
    for entry in entries {
        hash.update(entry.seq.to_be_bytes());
        let balance = entry.balance.map(|balance| balance.to_string());
        for text in [&entry.order, &entry.lots, &entry.fingerprint, &balance] {
            update_text(&mut hash, text.as_deref());
        }
    }
    hash.finalize().into()
}

/// The digest of everything that older versions left without a hash: the openings of all accounts, in the order of their numbers,
/// and the identities that were linked before the journal began, in the order of their names.
#[derive(Clone, Debug, Default)]
pub struct OldRecords {
    hash: Sha256,
    /// The number of openings.
    pub openings: u64,
    /// The number of identities.
    pub identities: u64,
}

impl OldRecords {
    /// Adds the digest of an account's opening.
    pub fn add_opening(&mut self, digest: &Hash) {
        self.hash.update(digest);
        self.openings += 1;
    }

    /// Adds an identity, after all openings. Those of before the journal are for no asset alone.
    pub fn add_identity(&mut self, name: &str, asset: &str, owner: &str) {
        update_text(&mut self.hash, Some(name));
        if !asset.is_empty() {
            update_text(&mut self.hash, Some(asset));
        }
        update_text(&mut self.hash, Some(owner));
        self.identities += 1;
    }

    /// Whether there is nothing that needs a digest.
    pub fn is_empty(&self) -> bool {
        self.openings == 0 && self.identities == 0
    }

    /// The digest of what was added.
    pub fn digest(&self) -> Hash {
        self.hash.clone().finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    #[test]
    fn the_digest_covers_every_word() {
        let account = |asset: &str| AccountKey {
            owner: "uid:1".into(),
            asset: asset.into(),
        };
        let old = OldEntry {
            seq: 2,
            order: Some("aa".into()),
            lots: Some("5:-1:0".into()),
            fingerprint: Some("bb".into()),
            balance: Some(3),
        };
        let digest = |old: &OldEntry| digest_of(&account("coin"), 2, "5:3", slice::from_ref(old));
        let whole = digest(&old);
        for other in [
            digest_of(&account("diamond"), 2, "5:3", slice::from_ref(&old)),
            digest_of(&account("coin"), 3, "5:3", slice::from_ref(&old)),
            digest_of(&account("coin"), 2, "5:4", slice::from_ref(&old)),
            digest_of(&account("coin"), 2, "5:3", &[]),
        ] {
            assert_ne!(other, whole);
        }
        let changes: [fn(&mut OldEntry); 5] = [
            |it| it.seq = 1,
            |it| it.order = None,
            |it| it.lots = Some("5:-1:1".into()),
            |it| it.fingerprint = Some("bc".into()),
            |it| it.balance = Some(4),
        ];
        for change in changes {
            let mut changed = old.clone();
            change(&mut changed);
            assert_ne!(digest(&changed), whole, "{changed:?}");
        }
        assert!(!old.is_empty());
        let seq = 2;
        assert!(
            OldEntry {
                seq,
                ..OldEntry::default()
            }
            .is_empty()
        );
    }

    #[test]
    fn openings_and_identities_are_not_taken_for_each_other() {
        let mut openings = OldRecords::default();
        assert!(openings.is_empty());
        openings.add_opening(&[1; 32]);
        let mut both = openings.clone();
        both.add_identity("key:a", "", "uid:1");
        let mut other = openings.clone();
        other.add_identity("key:", "", "auid:1");
        assert_ne!(openings.digest(), both.digest());
        assert_ne!(other.digest(), both.digest());
        assert_eq!((both.openings, both.identities), (1, 1));
    }
}
