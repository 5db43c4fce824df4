//! Signature primitives: pure functions over bytes. The dialects decide which bytes are signed.

mod rsa;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest, Md5};
use sha1::Sha1;

pub use self::rsa::RsaKey;

/// The MD5 of the concatenated parts, as lower-case hex.
pub fn md5_hex(parts: &[&[u8]]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// An HMAC-SHA1.
#[derive(Clone, Copy)]
pub struct HmacSha1([u8; 20]);

impl HmacSha1 {
    /// The characters of its Base64 without padding.
    const BASE64: usize = 27;

    /// Signs a text.
    pub fn of(key: &str, text: &str) -> HmacSha1 {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
        mac.update(text.as_bytes());
        HmacSha1(mac.finalize().into_bytes().into())
    }

    /// Writes it as standard Base64 with padding.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads Base64 in either alphabet, with or without padding, a `+` also as the blank that form decoding makes of it, and white space
    /// around it. `None` if it is anything else.
    pub fn from_base64(text: &str) -> Option<HmacSha1> {
        let digits = text.trim_end();
        let digits = digits.strip_suffix('=').unwrap_or(digits);
        // The first digit may be a blank, so the digits are counted from the end.
        let start = digits.len().checked_sub(HmacSha1::BASE64)?;
        let (before, digits) = digits.split_at_checked(start)?;
        if !before.trim().is_empty() {
            return None;
        }
        let standard = |byte: u8| match byte {
            b' ' | b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        };
        let digits: Vec<u8> = digits.bytes().map(standard).collect();
        let bytes = STANDARD_NO_PAD.decode(digits).ok()?;
        bytes.try_into().ok().map(HmacSha1)
    }

    /// Compares in a time that does not depend on where they differ.
    pub fn is(&self, other: &HmacSha1) -> bool {
        constant_time_eq::constant_time_eq_n(&self.0, &other.0)
    }
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
            assert_eq!(HmacSha1::of(&key, text).base64(), digest);
        }
    }

    /// An HMAC whose Base64 begins with `+` and holds `/`.
    const SIGNED: HmacSha1 = HmacSha1([
        0xf8, 63, 0xff, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 1,
    ]);

    #[test]
    fn an_hmac_is_read_in_each_spelling() {
        let written = SIGNED.base64();
        assert_eq!(written, "+D//CQkJCQkJCQkJCQkJCQkJCQE=");
        for text in [
            written.as_str(),
            "+D//CQkJCQkJCQkJCQkJCQkJCQE",
            "-D__CQkJCQkJCQkJCQkJCQkJCQE",
            " D//CQkJCQkJCQkJCQkJCQkJCQE=",
            "\u{3000}\n  D//CQkJCQkJCQkJCQkJCQkJCQE= \r\n\t",
        ] {
            let read = HmacSha1::from_base64(text);
            assert!(read.is_some_and(|it| it.is(&SIGNED)), "{text:?}");
        }
        for text in [
            "",
            "=",
            "D//CQkJCQkJCQkJCQkJCQkJCQE=",
            "a+D//CQkJCQkJCQkJCQkJCQkJCQE=",
            "+D//CQkJCQkJCQkJCQkJCQkJCQF=",
            "+D//CQkJCQkJCQkJCQkJCQkJCQE==",
            "+D//CQkJCQkJ CQkJCQkJCQkJCQE",
            "+D//CQkJCQkJCQk\nJCQkJCQkJCQE",
            "一D//CQkJCQkJCQkJCQkJCQkJCQE",
        ] {
            let read = HmacSha1::from_base64(text);
            assert!(!read.is_some_and(|it| it.is(&SIGNED)), "{text:?}");
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
