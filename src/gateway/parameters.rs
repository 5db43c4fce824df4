//! The parameters of a request before validation. They borrow what they can from the request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The value of a parameter before validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw<'a> {
    /// A text, or the digits of a whole number of any length.
    Text(Cow<'a, str>),
    /// JSON's `null`.
    Absent,
    /// A number with a fraction or an exponent, as it is written: `1.50`, `1e2`.
    Decimal(Cow<'a, str>),
    /// JSON's `true` or `false`.
    Bool(bool),
    /// A list or an object, which no parameter can be.
    Other,
}

impl Raw<'_> {
    /// The whole number that it is, with white space around a text. Some clients write 100 as `100.0`.
    pub fn whole_number(&self) -> Option<i64> {
        match self {
            Raw::Text(digits) => digits.trim().parse().ok(),
            Raw::Decimal(number) => whole_number(number),
            Raw::Bool(_) | Raw::Absent | Raw::Other => None,
        }
    }
}

/// The exact value of a JSON number, if it is whole.
fn whole_number(number: &str) -> Option<i64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() || significant == "-" {
        return Some(0);
    }
    // The zeros that were cut off the digits are tens again.
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let places = i64::try_from(fraction.len()).ok()?;
    let tens = exponent.parse::<i32>().ok().map(i64::from)? + zeros - places;
    let factor = 10_i64.checked_pow(u32::try_from(tens).ok()?)?;
    significant.parse::<i64>().ok()?.checked_mul(factor)
}

/// A decoded name and text of a query or a form.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The parameters of a request, in their order on the wire. A repeated name counts with its first value.
#[derive(Clone, Debug, Default)]
pub struct Parameters<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'a> Parameters<'a> {
    /// Adds a parameter; an earlier one of the same name takes precedence.
    pub fn push(&mut self, name: Cow<'a, str>, value: Raw<'a>) {
        self.0.push((name, value));
    }

    /// Appends parameters; those of names that are present already have no effect.
    pub fn append(&mut self, mut more: Parameters<'a>) {
        self.0.append(&mut more.0);
    }

    /// The first value of a name; `None` if it is absent or `""`.
    pub fn get(&self, name: &str) -> Option<&Raw<'a>> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        match value {
            Raw::Text(text) if text.is_empty() => None,
            Raw::Absent => None,
            value => Some(value),
        }
    }

    /// Whether the first value of a name is `""`.
    pub fn is_empty_text(&self, name: &str) -> bool {
        let first = self.0.iter().find(|(known, _)| known == name);
        first.is_some_and(|(_, value)| matches!(value, Raw::Text(text) if text.is_empty()))
    }

    /// One text for all spellings of the same parameters: JSON with the first value of each name, in the order of the names. A
    /// number of JSON is the text of its digits, and a list or an object, which no parameter can be, is empty.
    pub fn canonical(&self) -> String {
        let mut values = BTreeMap::new();
        for (name, value) in &self.0 {
            values.entry(&**name).or_insert_with(|| match value {
                Raw::Text(text) => json!(text),
                Raw::Decimal(number) => canonical_number(number),
                Raw::Bool(flag) => json!(flag),
                Raw::Absent => json!(null),
                Raw::Other => json!({}),
            });
        }
        json!(values).to_string()
    }

    /// The first value of a name, if it is a text that is not empty, or a whole number.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.get(name)? {
            Raw::Text(text) => Some(Cow::Borrowed(text)),
            number @ Raw::Decimal(_) => Some(number.whole_number()?.to_string().into()),
            Raw::Bool(_) | Raw::Absent | Raw::Other => None,
        }
    }
}

impl<'a> FromIterator<Pair<'a>> for Parameters<'a> {
    fn from_iter<I: IntoIterator<Item = Pair<'a>>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Parameters(pairs.map(|(name, text)| (name, Raw::Text(text))).collect())
    }
}

/// One form for all spellings of a number, by its value as a float. The ledger keeps fingerprints of it.
fn canonical_number(number: &str) -> Value {
    match number.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
            json!(format!("{value:.0}"))
        }
        Ok(value) if value.is_finite() => json!([value.to_string()]),
        _ => json!([number]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_whole_however_it_is_written() {
        for (number, value) in [
            ("100.0", Some(100)),
            ("1e2", Some(100)),
            ("1E+2", Some(100)),
            ("0.5e1", Some(5)),
            ("1200e-2", Some(12)),
            ("-1.50e1", Some(-15)),
            ("-0.0", Some(0)),
            ("0e999999", Some(0)),
            ("9223372036854775807.000", Some(i64::MAX)),
            ("1.10", None),
            ("1e-1", None),
            ("5e18", Some(5_000_000_000_000_000_000)),
            ("1e19", None),
            ("1e99999999999", None),
        ] {
            let read = Raw::Decimal(number.into()).whole_number();
            assert_eq!(read, value, "{number}");
        }
    }

    #[test]
    fn parameters_have_one_canonical_text() {
        let canonical = |json: &str| {
            let parameters: Parameters<'_> = serde_json::from_str(json).unwrap();
            parameters.canonical()
        };
        let text = r#"{"a":"5","b":["1.5"],"c":true,"d":null,"e":{}}"#;
        for same in [
            r#"{"a":5,"b":1.5,"c":true,"d":null,"e":[1]}"#,
            r#" { "e":{"x":2}, "d":null, "c":true, "b":1.50, "a":"5", "a":6 }"#,
            r#"{"a":5.0,"b":15e-1,"c":true,"d":null,"e":{}}"#,
        ] {
            assert_eq!(canonical(same), text, "{same}");
        }
        for other in [r#"{"a":"5"}"#, r#"{"a":true}"#, r#"{"a":"[5]"}"#, "{}"] {
            assert_ne!(canonical(other), canonical(r#"{"a":5.5}"#), "{other}");
        }
    }
}
