//! RSA-SHA256 signatures (PKCS#1 v1.5), and the public keys that verify them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

/// DER tags (X.690, 8.1.2).
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// The contents of the AlgorithmIdentifier of an RSA key: the object identifier 1.2.840.113549.1.1.1, and NULL (RFC 3279, 2.3.1).
const RSA_ENCRYPTION: [u8; 13] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// The sizes (bits) of a modulus under which ring verifies.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The exponents that ring takes.
const EXPONENTS: std::ops::Range<u64> = 3..1 << 33;

/// A public key for RSA-SHA256 signatures (PKCS#1 v1.5), of 2048 to 8192 bits. Ping++ signs with 2048.
#[derive(Clone, Debug)]
pub struct RsaKey(RsaPublicKeyComponents<Vec<u8>>);

impl RsaKey {
    /// Reads one or several keys in PEM, one after the other; `None` if one of them is no key as [`RsaKey::from_pem`] reads it.
    pub fn all_from_pem(pem: &str) -> Option<Vec<RsaKey>> {
        let marks: Vec<&str> = pem.trim_end().split_inclusive("KEY-----").collect();
        // A key lies between the mark of its beginning and that of its end.
        let keys = marks.chunks(2).map(|key| RsaKey::from_pem(&key.concat()));
        keys.collect::<Option<Vec<_>>>()
            .filter(|keys| !keys.is_empty())
    }

    /// Reads PEM, `BEGIN PUBLIC KEY` or `BEGIN RSA PUBLIC KEY`; `None` if it is neither, or a key of another size.
    pub fn from_pem(pem: &str) -> Option<RsaKey> {
        let key = match contents(pem, "PUBLIC KEY") {
            Some(info) => inner_key(&info)?.to_vec(),
            None => contents(pem, "RSA PUBLIC KEY")?,
        };
        let (n, e) = components(&key)?;
        Some(RsaKey(RsaPublicKeyComponents {
            n: n.to_vec(),
            e: e.to_vec(),
        }))
    }

    /// The modulus, which tells one key from another.
    pub fn modulus(&self) -> &[u8] {
        &self.0.n
    }

    /// Whether a Base64 signature is this key's over these bytes.
    pub fn verifies(&self, bytes: &[u8], signature: &str) -> bool {
        let verified = STANDARD.decode(signature.trim()).map(|signature| {
            self.0
                .verify(&RSA_PKCS1_2048_8192_SHA256, bytes, &signature)
        });
        matches!(verified, Ok(Ok(())))
    }
}

/// The bytes between the lines that begin and end `label` in PEM (RFC 7468). Text may stand before them, but none after.
fn contents(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (base64, rest) = rest.split_once(&format!("-----END {label}-----"))?;
    if !rest.trim().is_empty() {
        return None;
    }
    let base64: String = base64.split_ascii_whitespace().collect();
    STANDARD.decode(base64).ok()
}

/// The RSAPublicKey inside a SubjectPublicKeyInfo (RFC 5280, 4.1).
fn inner_key(info: &[u8]) -> Option<&[u8]> {
    let mut info = whole(SEQUENCE, info)?;
    if value(SEQUENCE, &mut info)? != RSA_ENCRYPTION {
        return None;
    }
    // A bit string begins with how many bits of its last byte are not used.
    whole(BIT_STRING, info)?.strip_prefix(&[0])
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017, A.1.1), big-endian.
fn components(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut key = whole(SEQUENCE, key)?;
    let n = positive(value(INTEGER, &mut key)?)?;
    let e = positive(whole(INTEGER, key)?)?;
    let bits = 8 * n.len() - usize::try_from(n.first()?.leading_zeros()).ok()?;
    let mut exponent = [0; 8];
    exponent[8_usize.checked_sub(e.len())?..].copy_from_slice(e);
    let exponent = u64::from_be_bytes(exponent);
    let odd = exponent % 2 == 1 && n.last()? % 2 == 1;
    (odd && MODULUS_BITS.contains(&bits) && EXPONENTS.contains(&exponent)).then_some((n, e))
}

/// The bytes of a positive integer without the zero that DER puts before a leading 1 bit, and only there.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, rest @ ..] => rest
            .first()
            .is_some_and(|first| first & 0x80 != 0)
            .then_some(rest),
        [first, ..] if first & 0x80 == 0 => Some(integer),
        _ => None,
    }
}

/// The contents of a DER value after which nothing follows.
fn whole(tag: u8, mut der: &[u8]) -> Option<&[u8]> {
    let contents = value(tag, &mut der)?;
    der.is_empty().then_some(contents)
}

/// Takes a DER value of this tag, of less than 64 KiB, from the front; its contents.
fn value<'a>(tag: u8, der: &mut &'a [u8]) -> Option<&'a [u8]> {
    let rest = der.strip_prefix(&[tag])?;
    // The shortest form of a length is the only one (X.690, 10.1).
    let (length, rest) = match rest {
        [length, rest @ ..] if *length < 0x80 => (u16::from(*length), rest),
        [0x81, length, rest @ ..] if *length >= 0x80 => (u16::from(*length), rest),
        [0x82, high, low, rest @ ..] if *high > 0 => (u16::from_be_bytes([*high, *low]), rest),
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length.into())?;
    *der = rest;
    Some(contents)
}

#[cfg(test)]
mod tests {
    use rsa::pkcs1::EncodeRsaPublicKey as _;
    use rsa::pkcs8::EncodePublicKey as _;
    use rsa::{Generate as _, PrivateKey};

    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let base64 = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
    }

    fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
        let length = u16::try_from(contents.len()).unwrap();
        let [high, low] = length.to_be_bytes();
        let mut der = match length {
            0..0x80 => vec![tag, low],
            0x80..0x100 => vec![tag, 0x81, low],
            0x100.. => vec![tag, 0x82, high, low],
        };
        der.extend_from_slice(contents);
        der
    }

    /// An RSAPublicKey of these integers, in hexadecimal as they are encoded.
    fn key(n: &str, e: &str) -> Vec<u8> {
        let integers = [n, e].map(|hex| der(INTEGER, &hex::decode(hex).unwrap()));
        der(SEQUENCE, &integers.concat())
    }

    fn info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
        let key = [&[0], key].concat();
        let parts = [der(SEQUENCE, algorithm), der(BIT_STRING, &key)];
        der(SEQUENCE, &parts.concat())
    }

    fn read(key: &[u8]) -> bool {
        RsaKey::from_pem(&pem("RSA PUBLIC KEY", key)).is_some()
    }

    fn read_info(info: &[u8]) -> bool {
        RsaKey::from_pem(&pem("PUBLIC KEY", info)).is_some()
    }

    /// An odd number of so many bits.
    fn modulus(bits: usize) -> String {
        let zero = if bits.is_multiple_of(8) { "00" } else { "" };
        let first = format!("{:02x}", 0xff_u8 >> ((8 - bits % 8) % 8));
        format!("{zero}{first}{}", "ff".repeat(bits.div_ceil(8) - 1))
    }

    #[test]
    fn several_keys_stand_one_after_the_other() {
        let public = PrivateKey::generate().to_public_key();
        let keys = [
            public.to_public_key_pem(Default::default()).unwrap(),
            public.to_pkcs1_pem(Default::default()).unwrap(),
        ];
        let count = |pem: &str| RsaKey::all_from_pem(pem).map(|keys| keys.len());
        assert_eq!(count(&keys[0]), Some(1));
        assert_eq!(count(&format!("{}\n{}\n", keys[0], keys[1])), Some(2));
        assert_eq!(
            count(&format!("the old one\n{}the new one\n{}", keys[0], keys[1])),
            Some(2)
        );
        assert_eq!(count(&format!("{}x", keys[0])), None);
        assert_eq!(count(""), None);
    }

    #[test]
    fn a_signature_is_verified_by_its_key_over_its_bytes() {
        let private = PrivateKey::generate();
        let public = private.to_public_key();
        let signature = private
            .pkcs1v15_sign::<rsa::sha2::Sha256>(b"event")
            .unwrap();
        let encoded = STANDARD.encode(&signature);
        let keys = [
            public.to_public_key_pem(Default::default()).unwrap(),
            public.to_pkcs1_pem(Default::default()).unwrap(),
        ];
        for pem in keys {
            for pem in [&pem, &pem.replace('\n', "\r\n"), &format!("Ping++\n{pem}")] {
                let key = RsaKey::from_pem(pem).unwrap();
                assert!(key.verifies(b"event", &encoded));
                assert!(key.verifies(b"event", &format!(" {encoded}\n")));
                assert!(!key.verifies(b"events", &encoded));
                for other in ["", "x", &encoded[4..], &STANDARD.encode(b"x")] {
                    assert!(!key.verifies(b"event", other), "{other}");
                }
                let mut changed = signature.clone();
                changed[0] ^= 1;
                assert!(!key.verifies(b"event", &STANDARD.encode(changed)));
            }
            assert!(RsaKey::from_pem(&format!("{pem}x")).is_none());
        }
        let other = PrivateKey::generate().to_public_key();
        let other = other.to_pkcs1_pem(Default::default()).unwrap();
        assert!(
            !RsaKey::from_pem(&other)
                .unwrap()
                .verifies(b"event", &encoded)
        );
    }

    #[test]
    fn a_key_has_2048_to_8192_bits_and_an_exponent_that_rsa_can_have() {
        let e = "010001";
        for (bits, good) in [
            (1024, false),
            (2047, false),
            (2048, true),
            (2049, true),
            (4096, true),
            (8192, true),
            (8193, false),
        ] {
            assert_eq!(read(&key(&modulus(bits), e)), good, "{bits}");
        }
        let n = modulus(2048);
        for (e, good) in [
            ("03", true),
            ("01ffffffff", true),
            ("01", false),
            ("02", false),
            ("00", false),
            ("", false),
            ("010000", false),
            ("0200000001", false),
            ("01ffffffffffffffff", false),
            // Negative, and not in the shortest form.
            ("ff", false),
            ("0003", false),
        ] {
            assert_eq!(read(&key(&n, e)), good, "{e}");
        }
        let even = format!("{}fe", &n[..n.len() - 2]);
        for n in [even.as_str(), "", "00", &n[2..], &format!("00{n}")] {
            assert!(!read(&key(n, e)), "{n}");
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let good = key(&modulus(2048), "010001");
        assert!(read(&good));
        let within = info(&RSA_ENCRYPTION, &good);
        assert!(read_info(&within));
        for (der, read) in [(&good, read as fn(&[u8]) -> bool), (&within, read_info)] {
            for end in 0..der.len() {
                assert!(!read(&der[..end]), "cut at {end}");
            }
            assert!(
                !read(&[der.as_slice(), &[0]].concat()),
                "something after it"
            );
            let mut longer = der.clone();
            longer.splice(1..4, [0x83, 0, der[2], der[3]]);
            assert!(!read(&longer), "a length that is not in the shortest form");
            let mut other = der.clone();
            other[0] = 0x31;
            assert!(!read(&other), "another tag");
        }
        assert!(!read(&within) && !read_info(&good), "the other's label");
        // RSASSA-PSS, and an algorithm without its parameters.
        let mut pss = RSA_ENCRYPTION;
        pss[10] = 10;
        assert!(!read_info(&info(&pss, &good)));
        assert!(!read_info(&info(&RSA_ENCRYPTION[..11], &good)));
        let mut unused = within.clone();
        let at = within.len() - good.len() - 1;
        unused[at] = 1;
        assert!(!read_info(&unused), "bits that are not used");
        for pem in [
            "",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
            &pem("CERTIFICATE", &within),
        ] {
            assert!(RsaKey::from_pem(pem).is_none(), "{pem}");
        }
    }
}
