//! Signature primitives: pure functions over bytes. The dialects decide which bytes are signed.

mod rsa;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest, Md5};
use sha1::Sha1;

pub use self::rsa::RsaKey;

/// The name of the key that made a signature, `current` or `previous`; `None` if neither did. `made` is asked about both, so that the
/// time does not reveal which one matched.
pub fn key_name<K>(
    current: &K,
    previous: Option<&K>,
    made: impl Fn(&K) -> bool,
) -> Option<&'static str> {
    match (made(current), previous.is_some_and(&made)) {
        (true, _) => Some("current"),
        (false, true) => Some("previous"),
        (false, false) => None,
    }
}

/// The MD5 of the concatenated parts, as lower-case hex.
pub fn md5_hex(parts: &[&[u8]]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// The HMAC-SHA1 of a text, as standard base64 with padding.
pub fn hmac_sha1_base64(key: &str, text: &str) -> String {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Encodes a text as `application/x-www-form-urlencoded`: `a b&c` → `a+b%26c`.
pub fn form_encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Encodes parameters as an `application/x-www-form-urlencoded` query: `a=1&b=x+y`.
pub fn form_query(parameters: &[(String, String)]) -> String {
    let pairs = parameters.iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", form_encode(name), form_encode(value)))
        .collect();
    pairs.join("&")
}

/// Compares two texts in a time that does not depend on where they differ.
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

    /// RFC 2202, 3, cases 1 and 2.
    #[test]
    fn hmac_sha1_vectors() {
        let vectors = [
            (
                "\x0b".repeat(20),
                "Hi There",
                "b617318655057264e28bc0b6fb378c8ef146be00",
            ),
            (
                "Jefe".to_owned(),
                "what do ya want for nothing?",
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
        ];
        for (key, text, digest) in vectors {
            let digest = STANDARD.encode(hex::decode(digest).unwrap());
            assert_eq!(hmac_sha1_base64(&key, text), digest);
        }
    }

    #[test]
    fn a_form_is_encoded() {
        assert_eq!(
            form_encode("a b+c&d=e%f*-_.~一"),
            "a+b%2Bc%26d%3De%25f*-_.%7E%E4%B8%80"
        );
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
