//! Reads JSON that somebody sent, and parameters from a JSON object. No parameter is a list or an object, so those are skipped without
//! building them, at any depth.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

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
    /// Reads a JSON object that lies in memory; keeps repeated names, in their order.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Parameters<'static>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut parameters = Parameters::default();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    let value = raw(value).ok_or_else(|| A::Error::custom("an invalid escape"))?;
                    parameters.push(name.into(), value);
                }
                Ok(parameters)
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// Reads the value of a parameter. A number stays as it is written, so that a reference of any length keeps its digits. Returns `None` for
/// a text with an invalid escape.
pub fn raw(value: &RawValue) -> Option<Raw<'static>> {
    let json = value.get();
    Some(match json.as_bytes() {
        [b'"', text @ .., b'"'] if !text.contains(&b'\\') => {
            Raw::Text(json[1..json.len() - 1].to_owned().into())
        }
        [b'"', ..] => Raw::Text(read::<String>(json.as_bytes())?.into()),
        [b't' | b'f', ..] => Raw::Bool(json == "true"),
        [b'n', ..] => Raw::Absent,
        [b'[' | b'{', ..] => Raw::Other,
        number if number.iter().any(|byte| b".eE".contains(byte)) => {
            Raw::Decimal(json.to_owned().into())
        }
        _ => Raw::Text(json.to_owned().into()),
    })
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

    #[test]
    fn values_are_read_as_they_are_written() {
        let text = |text: &str| Raw::Text(text.to_owned().into());
        let decimal = |text: &str| Raw::Decimal(text.to_owned().into());
        for (json, value) in [
            (r#""""#, text("")),
            (r#""a/b 一""#, text("a/b 一")),
            (r#""a\/b\u4e00\ud83d\ude00\"""#, text("a/b一😀\"")),
            (r#""\ud83d!""#, text("\u{fffd}!")),
            ("5", text("5")),
            ("-5", text("-5")),
            (
                "20160316123456789012345678901",
                text("20160316123456789012345678901"),
            ),
            ("1.10", decimal("1.10")),
            ("1e2", decimal("1e2")),
            ("1E999", decimal("1E999")),
            ("true", Raw::Bool(true)),
            ("false", Raw::Bool(false)),
            ("null", Raw::Absent),
            (r#"["a"]"#, Raw::Other),
            (r#"{"a":1e999}"#, Raw::Other),
        ] {
            let object = format!(r#"{{ "x" :  {json} , "y":1}}"#);
            let parameters: Parameters<'_> = read(object.as_bytes()).unwrap();
            let found = parameters.get("x").cloned();
            let present = !matches!(value, Raw::Absent) && value != text("");
            assert_eq!(found, present.then_some(value), "{json}");
            assert_eq!(parameters.text("y").as_deref(), Some("1"), "{json}");
        }
        for json in [
            r#""\x""#, "01", "+1", "1.", ".5", "1e", "-", "NaN", "tru", "'a'", "\"\n\"",
        ] {
            let object = format!(r#"{{"x":{json}}}"#);
            let parameters = read::<Parameters<'_>>(object.as_bytes());
            assert!(parameters.is_none(), "{json}");
        }
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
