//! Kinds of parameter values that are common to all dialects.

use std::borrow::Cow;

use super::parameters::Raw;

/// A kind of parameter value: how it is read, and how it is documented.
pub trait Value: Sized {
    /// The accepted values for `pointgate methods`, such as `whole number`.
    fn kind() -> Cow<'static, str>;

    /// Reads and validates a value.
    ///
    /// # Errors
    /// Returns [`Invalid`] if the value is not accepted.
    fn read(raw: &Raw<'_>) -> Result<Self, Invalid>;

    /// The value of a parameter that is present and empty; `None` = it counts as absent.
    fn empty() -> Option<Self> {
        None
    }

    /// The value as it is on the wire, to document a default; `None` if an absent parameter has no value.
    fn write(&self) -> Option<String> {
        None
    }
}

/// Why a parameter's value is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// The value is not of the parameter's kind.
    Wrong,
    /// The text exceeds the parameter's limit.
    TooLong,
}

impl Value for i64 {
    fn kind() -> Cow<'static, str> {
        "whole number".into()
    }

    fn read(raw: &Raw<'_>) -> Result<i64, Invalid> {
        raw.whole_number().ok_or(Invalid::Wrong)
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A whole number from `FIRST` to `LAST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within<const FIRST: i64, const LAST: i64>(pub i64);

impl<const FIRST: i64, const LAST: i64> Value for Within<FIRST, LAST> {
    fn kind() -> Cow<'static, str> {
        format!("{FIRST} to {LAST}").into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        match i64::read(raw)? {
            number if (FIRST..=LAST).contains(&number) => Ok(Within(number)),
            _ => Err(Invalid::Wrong),
        }
    }

    fn write(&self) -> Option<String> {
        self.0.write()
    }
}

impl<T: Value> Value for Option<T> {
    fn kind() -> Cow<'static, str> {
        T::kind()
    }

    fn read(raw: &Raw<'_>) -> Result<Option<T>, Invalid> {
        T::read(raw).map(Some)
    }

    fn empty() -> Option<Option<T>> {
        T::empty().map(Some)
    }

    fn write(&self) -> Option<String> {
        self.as_ref()?.write()
    }
}

/// Whether a text may be stored: without control characters (U+0000 to U+001F and U+007F to U+009F). Those would
/// steer the terminal on which an operator lists the text, and not every database can store NUL.
pub fn is_storable(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// A text of 1 to `MAX` characters that [`is_storable`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

impl<const MAX: usize> Value for Text<MAX> {
    fn kind() -> Cow<'static, str> {
        format!("text, up to {MAX} characters").into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        match raw {
            Raw::Text(text) if text.chars().nth(MAX).is_some() => Err(Invalid::TooLong),
            Raw::Text(text) if !is_storable(text) => Err(Invalid::Wrong),
            Raw::Text(text) => Ok(Text(text.clone().into_owned())),
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => Err(Invalid::Wrong),
        }
    }
}

/// A value, or a text that is present and empty: it clears what was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrEmpty<T> {
    /// Not empty.
    Given(T),
    /// Present and empty.
    Empty,
}

impl<T: Value> Value for OrEmpty<T> {
    fn kind() -> Cow<'static, str> {
        format!("{}, or empty", T::kind()).into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        T::read(raw).map(OrEmpty::Given)
    }

    fn empty() -> Option<Self> {
        Some(OrEmpty::Empty)
    }
}

/// A boolean: JSON's `true` or `false`, or a text, of which all but `0` and `false` mean true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl Value for Flag {
    fn kind() -> Cow<'static, str> {
        "true or false".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Flag, Invalid> {
        match raw {
            Raw::Bool(value) => Ok(Flag(*value)),
            Raw::Text(text) => {
                let text = text.trim();
                Ok(Flag(text != "0" && !text.eq_ignore_ascii_case("false")))
            }
            Raw::Decimal(_) => {
                let number = raw.whole_number().ok_or(Invalid::Wrong)?;
                Ok(Flag(number != 0))
            }
            Raw::Absent | Raw::Other => Err(Invalid::Wrong),
        }
    }

    fn write(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

/// A non-negative decimal number of at most 16 characters, kept as the sender wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(pub String);

impl Value for Decimal {
    fn kind() -> Cow<'static, str> {
        "number, up to 16 characters".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Decimal, Invalid> {
        match raw {
            Raw::Text(text) | Raw::Decimal(text) => {
                let text = text.trim();
                let number = text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.');
                match number && text.len() <= 16 && text.parse::<f64>().is_ok() {
                    true => Ok(Decimal(text.to_owned())),
                    false => Err(Invalid::Wrong),
                }
            }
            Raw::Bool(_) | Raw::Absent | Raw::Other => Err(Invalid::Wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        let text = |text: &str| Flag::read(&Raw::Text(text.into()));
        assert_eq!(Flag::read(&Raw::Bool(true)), Ok(Flag(true)));
        assert_eq!(Flag::read(&Raw::Bool(false)), Ok(Flag(false)));
        for (word, value) in [
            ("1", true),
            ("true", true),
            ("yes", true),
            ("0", false),
            ("false", false),
            (" False ", false),
            (" 0\n", false),
        ] {
            assert_eq!(text(word), Ok(Flag(value)), "{word}");
        }
        let number = |number: &str| Flag::read(&Raw::Decimal(number.into()));
        assert_eq!(number("0.0"), Ok(Flag(false)));
        assert_eq!(number("1e0"), Ok(Flag(true)));
        assert_eq!(number("0.5"), Err(Invalid::Wrong));
        assert_eq!(Flag::read(&Raw::Other), Err(Invalid::Wrong));
    }

    #[test]
    fn control_characters_are_no_text() {
        let read = |text: &str| Text::<3>::read(&Raw::Text(text.into()));
        let controls = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
        for control in controls {
            assert_eq!(read(&format!("a{control}b")), Err(Invalid::Wrong));
        }
        for plain in [" ~", "\u{a0}字", "\u{2028}"] {
            assert_eq!(read(plain), Ok(Text(plain.to_owned())));
        }
    }

    #[test]
    fn decimals() {
        let read = |text: &str| Decimal::read(&Raw::Text(text.into()));
        for good in ["165", "58.5", "0.1"] {
            assert_eq!(read(good), Ok(Decimal(good.into())));
            assert_eq!(
                Decimal::read(&Raw::Decimal(good.into())),
                Ok(Decimal(good.into()))
            );
        }
        assert_eq!(read(" 165 "), Ok(Decimal("165".into())));
        for bad in ["", "-1", "1e5", "1.2.3", ".", "NaN", "12345678901234567"] {
            assert_eq!(read(bad), Err(Invalid::Wrong), "{bad}");
        }
    }
}
