//! Reads JSON that somebody sent, and parameters from a JSON object. No parameter is a list or an object, so those are skipped without
//! building them, at any depth.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::parameters::{Parameters, Raw};

/// U+FEFF in UTF-8, which some clients write before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A body without the byte order mark before it.
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// Reads a JSON text. A byte order mark before it is ignored, and half a surrogate pair is U+FFFD: PHP and JavaScript write one where
/// they cut a text in the middle of an emoji. Returns `None` if it is no `T`, no JSON or not UTF-8.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(without_mark(body)).ok()?;
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(_) => match with_whole_pairs(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => serde_json::from_str(&text).ok(),
        },
    }
}

/// Replaces each escape that is half a surrogate pair.
fn with_whole_pairs(json: &str) -> Cow<'_, str> {
    let mut whole = Cow::Borrowed(json);
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        at += match (escaped(json, at), escaped(json, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                whole.to_mut().replace_range(at..at + 6, "\\ufffd");
                6
            }
            // The escaped character may itself be a backslash.
            _ => 2,
        };
    }
    whole
}

/// The 16 bits of the escape `\uXXXX` at a byte offset; `None` if there is no such escape.
fn escaped(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

impl<'de> Deserialize<'de> for Parameters<'static> {
    /// Reads a JSON object; keeps repeated names, in their order.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Parameters<'static>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut parameters = Parameters::default();
                while let Some((name, value)) = map.next_entry::<String, _>()? {
                    parameters.push(name.into(), value);
                }
                Ok(parameters)
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

impl<'de> Deserialize<'de> for Raw<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawVisitor;
        impl<'de> Visitor<'de> for RawVisitor {
            type Value = Raw<'static>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Raw::Text(text.to_owned().into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Raw::Text(number.to_string().into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Raw::Text(number.to_string().into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                // Some clients write 100 as 100.0. From 2^53 on, a float may differ from the digits that were sent.
                let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
                Ok(if exact {
                    Raw::Text(format!("{number:.0}").into())
                } else {
                    Raw::Decimal(number.to_string().into())
                })
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Raw::Bool(value))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Raw::Absent)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Raw::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Raw::Other)
            }
        }
        deserializer.deserialize_any(RawVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn half_a_pair_is_a_replacement_character() {
        for (json, text) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\uDC00""#, "\u{fffd}"),
            (r#""a\ud83d\ud83d\ude00b""#, "a\u{fffd}😀b"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\n\ude00""#, "\u{fffd}\n\u{fffd}"),
            (r#""\ud83d\\ude00""#, "\u{fffd}\\ude00"),
            (r#""\\ud83d\ud83d""#, "\\ud83d\u{fffd}"),
            (r#""\\\ud83d""#, "\\\u{fffd}"),
            (r#""签\ud83d签""#, "签\u{fffd}签"),
        ] {
            assert_eq!(read(json.as_bytes()), Some(text.to_owned()), "{json}");
        }
        let name: Value = read(br#"{"\ud83d": ["\udfff"]}"#).unwrap();
        assert_eq!(name["\u{fffd}"][0], "\u{fffd}");
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for json in [
            &br#""\ud83""#[..],
            br#""\ud83"#,
            br#""\"#,
            br#""\ud83d"#,
            br#""\u+83d""#,
            b"\"\\ud83d\xff\"",
            b"[\"\xff\"]",
            b"\xff",
            b"\xef\xbb\xbf",
            b"\xef\xbb\xbf\xef\xbb\xbf{}",
            b" \xef\xbb\xbf{}",
            b"\xef\xbb{}",
        ] {
            assert_eq!(read::<Value>(json), None, "{}", json.escape_ascii());
        }
        assert_eq!(read::<Parameters<'static>>(b"[]").map(|_| ()), None);
    }

    #[test]
    fn a_mark_before_the_text_is_ignored() {
        let marked: Value = read("\u{feff}{\"a\":\"\u{feff}\"}".as_bytes()).unwrap();
        assert_eq!(marked, serde_json::json!({ "a": "\u{feff}" }));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever serde_json reads, and whatever a tolerant reader of UTF-16 makes of any 16 bits.
        #[test]
        fn any_halves_are_read(halves in prop::collection::vec(
            prop_oneof![any::<u16>(), 0xD700_u16..0xE100, 0x20_u16..0x7F], 0..12)) {
            let text_in_json: String = halves.iter().map(|half| format!("\\u{half:04x}")).collect();
            let text = String::from_utf16_lossy(&halves);
            prop_assert_eq!(read(format!("\"{text_in_json}\"").as_bytes()), Some(text));
        }

        #[test]
        fn valid_json_is_untouched(text in "\\PC*", deep in any::<i64>()) {
            let value = serde_json::json!({ "a": [text, deep] });
            prop_assert_eq!(read::<Value>(value.to_string().as_bytes()), Some(value));
        }
    }
}
