//! Signatures: pure functions over bytes. Which bytes are signed is the dialects' business.

use md5::{Digest, Md5};

/// Lower-case hex MD5 of these parts, one after the other.
pub fn md5_hex(parts: &[&[u8]]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub fn same(a: &str, b: &str) -> bool {
    constant_time_eq::constant_time_eq(a.as_bytes(), b.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1321, A.5.
    #[test]
    fn md5_vectors() {
        let vectors = [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "abcdefghijklmnopqrstuvwxyz",
                "c3fcd3d76192e4007dfb496cca67e13b",
            ),
        ];
        for (text, digest) in vectors {
            assert_eq!(md5_hex(&[text.as_bytes()]), digest);
            let (a, b) = text.split_at(text.len() / 2);
            assert_eq!(md5_hex(&[a.as_bytes(), b.as_bytes()]), digest, "in parts");
        }
    }

    #[test]
    fn same_is_equality() {
        assert!(same("", ""));
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "abcd"));
        assert!(!same("abc", ""));
    }
}
