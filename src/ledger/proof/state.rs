//! The state of an account that a seal fixes, and the leaf that it has in the tree.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};

use crate::ledger::book::account::Account;
use crate::ledger::book::entry::Hash;
use crate::ledger::book::lots::write_lots;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::proof::tree::{self, Leaf};

/// An account as its entries up to one of them make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// The number of its entries, which is the `seq` of the last one.
    pub seq: i64,
    /// The points after the last entry.
    pub balance: i64,
    /// The hash of the last entry.
    pub head: Hash,
    /// The open lots: `EXPIRY:POINTS` (ms), joined by `,`, in the order of expiry.
    pub lots: String,
}

impl AccountState {
    /// The state of an account as it is now.
    pub fn of(account: &Account) -> AccountState {
        AccountState {
            seq: account.last_seq,
            balance: account.balance,
            head: account.head,
            lots: write_lots(&account.lots),
        }
    }

    /// The SHA-256 of the state.
    pub fn hash(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(b"pointgate state 1");
        hash.update(self.seq.to_be_bytes());
        hash.update(self.balance.to_be_bytes());
        hash.update(self.head);
        hash.update(Sha256::digest(self.lots.as_bytes()));
        hash.finalize().into()
    }
}

/// The key of an account in the tree: the SHA-256 of its asset and its owner, each after its length.
pub fn key_of(account: &AccountKey) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"pointgate account 1");
    for text in [&account.asset, &account.owner] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// The salt of an account in one seal: the HMAC-SHA256 of its key under the secret of the seal. Without it, a member could guess
/// the balances of the accounts beside his path.
pub fn salt_of(secret: &Hash, key: &Hash) -> Hash {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(key);
    mac.finalize().into_bytes().into()
}

/// The leaf of an account whose state has this hash.
pub fn leaf_of(key: Hash, salt: &Hash, state: &Hash) -> Leaf {
    let value = Sha256::new().chain_update(salt).chain_update(state);
    tree::Leaf {
        key,
        value: value.finalize().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> AccountState {
        AccountState {
            seq: 2,
            balance: 197,
            head: [7; 32],
            lots: "1830268799000:197".to_owned(),
        }
    }

    /// Computed in Python from the description in docs/proofs.md.
    #[test]
    fn the_hashes_are_those_of_the_published_vector() {
        let account = AccountKey {
            owner: "uid:五".to_owned(),
            asset: "coin".to_owned(),
        };
        let key = key_of(&account);
        let salt = salt_of(&[9; 32], &key);
        let leaf = leaf_of(key, &salt, &state().hash());
        assert_eq!(
            [key, state().hash(), salt, leaf.value, leaf.hash()].map(hex::encode),
            [
                "171d2641cae655707eb05353f53b5cac44dae82320b2e23f6523db7fd5273492",
                "fb21aa49c0b4c481406e802d4b1c6b79731f41c18b1282871f989fa1272dbe55",
                "888ecfc83e22ea0b7b71d150606a7866019b66a3bf7d38ea8eb81e976a1f74c6",
                "b81f61b6ac6426f2153a37c4beb6a20a55a5592b69439040e89d90a62b6954e2",
                "35cd05d7ff956caa6a4a202321841508eb45573e1275289a412297ff3c17e094"
            ]
        );
    }

    #[test]
    fn every_field_counts() {
        let changes: [fn(&mut AccountState); 4] = [
            |it| it.seq += 1,
            |it| it.balance += 1,
            |it| it.head[31] ^= 1,
            |it| it.lots.push('0'),
        ];
        for change in changes {
            let mut changed = state();
            change(&mut changed);
            assert_ne!(changed.hash(), state().hash(), "{changed:?}");
        }
        let key = |owner: &str, asset: &str| {
            key_of(&AccountKey {
                owner: owner.to_owned(),
                asset: asset.to_owned(),
            })
        };
        // What moves from one text to the next is another account.
        assert_ne!(key("uid:5", "coin"), key("coinuid:5", ""));
        assert_ne!(key("uid:5", "coin"), key("uid:5", "exp"));
        assert_ne!(salt_of(&[1; 32], &[2; 32]), salt_of(&[2; 32], &[1; 32]));
    }
}
