//! A compact sparse Merkle tree: one root over all accounts, with proofs that an account is in it, or that it is not.
//!
//! A subtree without a leaf is 32 zero bytes, one with a single leaf is the hash of that leaf, and any other is the SHA-256 of the
//! byte 1, its left and its right half. The bits of a key, the highest first, lead to its place: 0 is left.

use sha2::{Digest, Sha256};

use crate::ledger::book::entry::Hash;

/// The bits of a key, which bound the length of a path.
pub const MOST_STEPS: usize = 256;

/// An empty subtree.
const EMPTY: Hash = [0; 32];

/// A key and what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf {
    /// Its bits lead from the root to the leaf.
    pub key: Hash,
    /// A hash of the content.
    pub value: Hash,
}

impl Leaf {
    /// The SHA-256 of the byte 0, the key and the value.
    pub fn hash(&self) -> Hash {
        let hash = Sha256::new().chain_update([0]).chain_update(self.key);
        hash.chain_update(self.value).finalize().into()
    }
}

/// All leaves, in the order of their keys.
#[derive(Clone, Debug, Default)]
pub struct AccountTree(Vec<Leaf>);

/// A path from the root to the place of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeProof {
    /// The hashes beside the path, from the root down.
    pub siblings: Vec<Hash>,
    /// The leaf at the end; `None` if nothing is there.
    pub end: Option<Leaf>,
}

/// What a path shows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The tree holds this value under the key.
    Present(Hash),
    /// The tree does not hold the key.
    Absent,
}

impl AccountTree {
    /// A tree of these leaves. `None` if two have one key.
    pub fn new(mut leaves: Vec<Leaf>) -> Option<AccountTree> {
        leaves.sort_unstable();
        let twice = leaves.windows(2).any(|pair| pair[0].key == pair[1].key);
        (!twice).then_some(AccountTree(leaves))
    }

    /// The hash over all leaves; zeros if there is none.
    pub fn root(&self) -> Hash {
        root_of(&self.0, 0)
    }

    /// The path to a key, which proves what is there.
    pub fn prove(&self, key: &Hash) -> TreeProof {
        let mut siblings = Vec::new();
        let mut leaves = self.0.as_slice();
        while leaves.len() > 1 {
            let depth = siblings.len();
            let (left, right) = halves(leaves, depth);
            let (here, beside) = match bit(key, depth) {
                false => (left, right),
                true => (right, left),
            };
            siblings.push(root_of(beside, depth + 1));
            leaves = here;
        }
        TreeProof {
            siblings,
            end: leaves.first().copied(),
        }
    }
}

impl TreeProof {
    /// What this path shows of a key in the tree with this root; `None` if it shows nothing, because a hash differs.
    pub fn verify(&self, root: &Hash, key: &Hash) -> Option<Shown> {
        let depth = self.siblings.len();
        if depth > MOST_STEPS {
            return None;
        }
        let same_place = |leaf: &Leaf| (0..depth).all(|at| bit(&leaf.key, at) == bit(key, at));
        if !self.end.as_ref().is_none_or(same_place) {
            return None;
        }
        let end = self.end.map_or(EMPTY, |leaf| leaf.hash());
        let beside = self.siblings.iter().enumerate().rev();
        let found = beside.fold(end, |hash, (at, sibling)| match bit(key, at) {
            false => node(&hash, sibling),
            true => node(sibling, &hash),
        });
        (found == *root).then(|| match self.end {
            Some(leaf) if leaf.key == *key => Shown::Present(leaf.value),
            _ => Shown::Absent,
        })
    }
}

/// The root of a subtree at a depth. As deep as two keys agree, which for hashes is some forty levels.
fn root_of(leaves: &[Leaf], depth: usize) -> Hash {
    match leaves {
        [] => EMPTY,
        [leaf] => leaf.hash(),
        leaves => {
            let (left, right) = halves(leaves, depth);
            node(&root_of(left, depth + 1), &root_of(right, depth + 1))
        }
    }
}

/// The leaves of the left and of the right half of a subtree at a depth.
fn halves(leaves: &[Leaf], depth: usize) -> (&[Leaf], &[Leaf]) {
    leaves.split_at(leaves.partition_point(|leaf| !bit(&leaf.key, depth)))
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([1]).chain_update(left);
    hash.chain_update(right).finalize().into()
}

/// The bit of a key that leads on at a depth. Keys have no bit beyond the last, where a single leaf is left.
fn bit(key: &Hash, depth: usize) -> bool {
    key.get(depth / 8)
        .is_some_and(|byte| byte & (0x80 >> (depth % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    /// Keys that agree in many bits or in few.
    fn keys() -> impl Strategy<Value = Hash> {
        let near = (0..3_u8, 0..8_usize).prop_map(|(first, at)| {
            let mut key = [first; 32];
            key[31] ^= 1 << at;
            key
        });
        prop_oneof![any::<Hash>(), near]
    }

    fn trees() -> impl Strategy<Value = AccountTree> {
        btree_map(keys(), any::<Hash>(), 0..12).prop_map(|leaves| {
            let leaves = leaves.into_iter().map(|(key, value)| Leaf { key, value });
            AccountTree::new(leaves.collect()).unwrap()
        })
    }

    /// The root as the definition says it, level by level, without the tree's own recursion.
    fn by_definition(leaves: &[Leaf], depth: usize) -> Hash {
        if leaves.len() < 2 {
            return leaves.first().map_or([0; 32], Leaf::hash);
        }
        let side = |right: bool| -> Vec<Leaf> {
            let leaves = leaves.iter().copied();
            leaves
                .filter(|leaf| {
                    let bits = leaf.key.iter().flat_map(|byte| {
                        let byte = *byte;
                        (0..8).map(move |at| byte << at & 0x80 != 0)
                    });
                    bits.collect::<Vec<bool>>()[depth] == right
                })
                .collect()
        };
        let (left, right) = (side(false), side(true));
        let mut bytes = vec![1_u8];
        bytes.extend(by_definition(&left, depth + 1));
        bytes.extend(by_definition(&right, depth + 1));
        Sha256::digest(&bytes).into()
    }

    /// Computed in Python from the description in docs/proofs.md.
    #[test]
    fn the_roots_are_those_of_the_published_vectors() {
        let leaf = |first: u8, value: u8| {
            let mut key = [0; 32];
            key[0] = first;
            let value = [value; 32];
            Leaf { key, value }
        };
        let root = |leaves: &[Leaf]| hex::encode(AccountTree::new(leaves.to_vec()).unwrap().root());
        let leaves = [leaf(0x00, 1), leaf(0x01, 2), leaf(0x80, 3)];
        assert_eq!(root(&[]), "0".repeat(64));
        assert_eq!(
            [root(&leaves[..1]), root(&leaves[..2]), root(&leaves)],
            [
                "4fbcd862232fc131a874fd29d738e5d318318d799b44da38ac397fc3e2f89d5f",
                "a50094b6defb8e2d5c8010c9df106cbb1194dd290c13a739b800637eee7fee15",
                "d97f4b165f38999685952345999450481e9407e460be97e7b4ff27ae9a0bcfb9"
            ]
        );
    }

    #[test]
    fn one_key_has_one_leaf() {
        let leaf = |value| Leaf {
            key: [1; 32],
            value: [value; 32],
        };
        assert!(AccountTree::new(vec![leaf(1), leaf(2)]).is_none());
        assert!(AccountTree::new(vec![leaf(1), leaf(1)]).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn the_root_is_what_the_definition_says(tree in trees()) {
            prop_assert_eq!(tree.root(), by_definition(&tree.0, 0));
        }

        #[test]
        fn every_path_verifies(tree in trees(), other in keys()) {
            let root = tree.root();
            for leaf in &tree.0 {
                let shown = tree.prove(&leaf.key).verify(&root, &leaf.key);
                prop_assert_eq!(shown, Some(Shown::Present(leaf.value)));
            }
            let there = tree.0.iter().find(|leaf| leaf.key == other);
            let expected = there.map_or(Shown::Absent, |leaf| Shown::Present(leaf.value));
            prop_assert_eq!(tree.prove(&other).verify(&root, &other), Some(expected));
        }

        /// Whatever a forger makes of a path, it shows the truth or nothing.
        #[test]
        fn no_changed_path_shows_another_thing(
            tree in trees(),
            other in keys(),
            at in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
            cut in 0..3_usize,
            made_up in vec(any::<Hash>(), 0..3),
            end in proptest::option::of((keys(), any::<Hash>())),
        ) {
            let root = tree.root();
            let keys = tree.0.iter().map(|leaf| leaf.key).chain([other]).collect::<Vec<_>>();
            let key = *at.get(&keys);
            let proof = tree.prove(&key);
            let truth = proof.verify(&root, &key);

            let mut forgeries = Vec::new();
            let bytes = proof.siblings.len() * 32;
            if bytes > 0 {
                let mut forged = proof.clone();
                let byte = at.index(bytes);
                forged.siblings[byte / 32][byte % 32] ^= flip;
                forgeries.push(forged);
            }
            if let Some(leaf) = proof.end {
                for of_key in [true, false] {
                    let mut forged = leaf;
                    let hash = if of_key { &mut forged.key } else { &mut forged.value };
                    hash[at.index(32)] ^= flip;
                    forgeries.push(TreeProof { end: Some(forged), ..proof.clone() });
                }
                forgeries.push(TreeProof { end: None, ..proof.clone() });
            }
            let end = end.map(|(key, value)| Leaf { key, value });
            forgeries.push(TreeProof { end, ..proof.clone() });
            let mut shorter = proof.clone();
            shorter.siblings.truncate(proof.siblings.len().saturating_sub(cut));
            forgeries.push(shorter);
            let mut longer = proof.clone();
            longer.siblings.extend(made_up);
            forgeries.push(longer);
            // The path of another key, and one to which the root of a subtree serves as its end.
            forgeries.push(tree.prove(&other));
            for forged in forgeries {
                let shown = forged.verify(&root, &key);
                prop_assert!(shown.is_none() || shown == truth, "{forged:?} shows {shown:?}");
                if forged != proof && forged != tree.prove(&other) {
                    prop_assert_eq!(shown, None, "{:?}", forged);
                }
            }
        }

        /// A path that shows a key of one tree shows nothing of it in another.
        #[test]
        fn no_path_fits_another_root(tree in trees(), key in keys(), root in any::<Hash>()) {
            prop_assert_eq!(tree.prove(&key).verify(&root, &key), None);
        }
    }

    #[test]
    fn a_path_is_no_longer_than_a_key() {
        let mut last = [0; 32];
        last[31] = 1;
        let leaf = |key| Leaf {
            key,
            value: [5; 32],
        };
        let tree = AccountTree::new(vec![leaf([0; 32]), leaf(last)]).unwrap();
        let mut proof = tree.prove(&last);
        assert_eq!(proof.siblings.len(), MOST_STEPS);
        let shown = Some(Shown::Present([5; 32]));
        assert_eq!(proof.verify(&tree.root(), &last), shown);
        proof.siblings.push([0; 32]);
        assert_eq!(proof.verify(&tree.root(), &last), None);
    }
}
