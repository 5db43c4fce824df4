//! The log of seals: the Merkle tree of RFC 6962, with proofs that it holds a record and that it only ever grew.

use sha2::{Digest, Sha256};

use crate::ledger::book::entry::Hash;

/// The hash of a leaf: the SHA-256 of the byte 0 and the record.
pub fn leaf(record: &[u8]) -> Hash {
    let hash = Sha256::new().chain_update([0]).chain_update(record);
    hash.finalize().into()
}

/// The root over leaves (RFC 6962, 2.1). That of no leaves is the SHA-256 of nothing.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        leaves => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The path that proves the leaf at an index, from the leaf up (RFC 6962, 2.1.1). `None` if there is no such leaf.
pub fn prove_inclusion(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, beside) = match index < middle {
        true => (prove_inclusion(left, index)?, right),
        false => (prove_inclusion(right, index - middle)?, left),
    };
    path.push(root(beside));
    Some(path)
}

/// The proof that these leaves extend the first `size` of them (RFC 6962, 2.1.2). `None` if there are not so many, or if `size` is 0,
/// which everything extends.
pub fn prove_consistency(leaves: &[Hash], size: usize) -> Option<Vec<Hash>> {
    (size > 0 && size <= leaves.len()).then(|| subproof(leaves, size, true))
}

/// SUBPROOF of RFC 6962. `whole`: whether the first `size` leaves are a tree that the verifier knows the root of.
fn subproof(leaves: &[Hash], size: usize, whole: bool) -> Vec<Hash> {
    if size == leaves.len() {
        return match whole {
            true => Vec::new(),
            false => vec![root(leaves)],
        };
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, beside) = match size <= middle {
        true => (subproof(left, size, whole), right),
        false => (subproof(right, size - middle, false), left),
    };
    path.push(root(beside));
    path
}

/// Whether a path proves that the log with this root and size holds a leaf at an index (RFC 9162, 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether a proof shows that the log of size `sizes.1` and root `roots.1` extends the one of `sizes.0` and `roots.0` (RFC 9162,
/// 2.1.4.2).
pub fn verify_consistency(sizes: (u64, u64), proof: &[Hash], roots: (&Hash, &Hash)) -> bool {
    let ((first, second), (old, new)) = (sizes, roots);
    if first == 0 || first > second {
        return false;
    }
    if first == second {
        return proof.is_empty() && old == new;
    }
    let (mut at, mut last) = (first - 1, second - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    // A whole left subtree is the old root itself, which the proof leaves out.
    let (start, rest) = match (first.is_power_of_two(), proof.split_first()) {
        (true, _) => (old, proof),
        (false, Some((start, rest))) => (start, rest),
        (false, None) => return false,
    };
    let (mut old_root, mut new_root) = (*start, *start);
    for beside in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_root = node(beside, &old_root);
            new_root = node(beside, &new_root);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_root = node(&new_root, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_root == *old && new_root == *new
}

/// The root of a log that grows, without its leaves: the roots of its whole subtrees, each smaller than the one before.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    /// The hash of each subtree, with the binary logarithm of its size.
    subtrees: Vec<(u32, Hash)>,
    size: u64,
}

impl Frontier {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let (mut level, mut hash) = (0, leaf);
        while let Some((_, left)) = self.subtrees.pop_if(|(other, _)| *other == level) {
            hash = node(&left, &hash);
            level += 1;
        }
        self.subtrees.push((level, hash));
        self.size += 1;
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// As [`root`] of all leaves.
    pub fn root(&self) -> Hash {
        let hashes = self.subtrees.iter().rev().map(|(_, hash)| *hash);
        let whole = hashes.reduce(|right, left| node(&left, &right));
        whole.unwrap_or_else(|| root(&[]))
    }
}

/// The greatest power of two below `count`, which is 2 at least.
fn split(count: usize) -> usize {
    1 << (count - 1).ilog2()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([1]).chain_update(left);
    hash.chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::proof::hash_from_hex;

    /// The leaves of the test vectors of Certificate Transparency.
    fn published() -> Vec<Hash> {
        let records = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let records = records.iter().map(|record| hex::decode(record).unwrap());
        records.map(|record| leaf(&record)).collect()
    }

    fn hashes(texts: &[&str]) -> Vec<Hash> {
        texts
            .iter()
            .map(|text| hash_from_hex(text).unwrap())
            .collect()
    }

    #[test]
    fn the_roots_are_those_of_the_published_vectors() {
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, expected) in roots.iter().enumerate() {
            assert_eq!(hex::encode(root(&published()[..size])), *expected, "{size}");
        }
    }

    #[test]
    fn the_proofs_are_those_of_the_published_vectors() {
        let leaves = published();
        let inclusion: [(usize, usize, &[&str]); 4] = [
            (0, 1, &[]),
            (
                0,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                8,
                &[
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                3,
                &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
            ),
        ];
        for (index, size, path) in inclusion {
            let proof = prove_inclusion(&leaves[..size], index);
            assert_eq!(proof, Some(hashes(path)), "{index} of {size}");
        }
        let consistency: [(usize, usize, &[&str]); 4] = [
            (1, 1, &[]),
            (
                1,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                6,
                8,
                &[
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                &[
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ];
        for (old, new, path) in consistency {
            let proof = prove_consistency(&leaves[..new], old);
            assert_eq!(proof, Some(hashes(path)), "{old} to {new}");
        }
    }

    fn logs() -> impl Strategy<Value = Vec<Hash>> {
        (1..70_u32).prop_map(|size| (0..size).map(|it| leaf(&it.to_be_bytes())).collect())
    }

    /// What a forger makes of a proof: one bit changed, one hash less, one more.
    fn forgeries(proof: &[Hash], at: prop::sample::Index, flip: u8) -> Vec<Vec<Hash>> {
        let mut forgeries = vec![
            [proof, &[[0; 32]]].concat(),
            [proof, &[[flip; 32]]].concat(),
        ];
        if !proof.is_empty() {
            let byte = at.index(proof.len() * 32);
            let mut changed = proof.to_vec();
            changed[byte / 32][byte % 32] ^= flip;
            forgeries.extend([
                changed,
                proof[1..].to_vec(),
                proof[..proof.len() - 1].to_vec(),
            ]);
        }
        forgeries
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_growing_log_has_the_same_roots(leaves in logs()) {
            let mut frontier = Frontier::default();
            prop_assert_eq!(frontier.root(), root(&[]));
            for (at, leaf) in leaves.iter().enumerate() {
                frontier.push(*leaf);
                prop_assert_eq!(frontier.root(), root(&leaves[..=at]));
                prop_assert_eq!(frontier.size(), at as u64 + 1);
            }
        }

        #[test]
        fn inclusion_is_proven_of_each_leaf_alone(
            leaves in logs(),
            at in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let (index, size) = (at.index(leaves.len()), leaves.len() as u64);
            let (root, leaf) = (root(&leaves), leaves[index]);
            let proof = prove_inclusion(&leaves, index).unwrap();
            prop_assert!(verify_inclusion(&leaf, index as u64, size, &proof, &root));
            for forged in forgeries(&proof, at, flip) {
                prop_assert!(!verify_inclusion(&leaf, index as u64, size, &forged, &root));
            }
            for other in (0..=size).filter(|it| *it != index as u64) {
                prop_assert!(!verify_inclusion(&leaf, other, size, &proof, &root), "{other}");
            }
            let mut changed = [leaf, root];
            changed.iter_mut().for_each(|hash| hash[at.index(32)] ^= flip);
            prop_assert!(!verify_inclusion(&changed[0], index as u64, size, &proof, &root));
            prop_assert!(!verify_inclusion(&leaf, index as u64, size, &proof, &changed[1]));
            prop_assert_eq!(prove_inclusion(&leaves, leaves.len()), None);
        }

        #[test]
        fn consistency_is_proven_of_true_beginnings_alone(
            leaves in logs(),
            at in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let (old, new) = (1 + at.index(leaves.len()), leaves.len());
            let sizes = (old as u64, new as u64);
            let roots = [root(&leaves[..old]), root(&leaves)];
            let proof = prove_consistency(&leaves, old).unwrap();
            prop_assert!(verify_consistency(sizes, &proof, (&roots[0], &roots[1])));
            for forged in forgeries(&proof, at, flip) {
                prop_assert!(!verify_consistency(sizes, &forged, (&roots[0], &roots[1])));
            }
            // A log that was rewritten before its published end.
            let mut rewritten = leaves.clone();
            rewritten[at.index(old)][0] ^= flip;
            let proof = prove_consistency(&rewritten, old).unwrap();
            let new_root = root(&rewritten);
            prop_assert!(!verify_consistency(sizes, &proof, (&roots[0], &new_root)));
            prop_assert_eq!(prove_consistency(&leaves, 0), None);
            prop_assert_eq!(prove_consistency(&leaves, new + 1), None);
            prop_assert!(!verify_consistency((0, sizes.1), &[], (&roots[0], &roots[1])));
            prop_assert!(!verify_consistency((sizes.1 + 1, sizes.1), &[], (&roots[1], &roots[1])));
        }
    }
}
