//! The parameters of a request before validation. They borrow what they can from the request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;

/// The value of a parameter before validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw<'a> {
    /// A text, or the digits of a whole number.
    Text(Cow<'a, str>),
    /// JSON's `null`.
    Absent,
    /// A number with a fraction, in decimal notation.
    Decimal(Cow<'a, str>),
    /// JSON's `true` or `false`.
    Bool(bool),
    /// A list or an object, which no parameter can be.
    Other,
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

    /// One text for all spellings of the same parameters: JSON with the first value of each name, in the order of the names. A
    /// number of JSON is the text of its digits, and a list or an object, which no parameter can be, is empty.
    pub fn canonical(&self) -> String {
        let mut values = BTreeMap::new();
        for (name, value) in &self.0 {
            values.entry(&**name).or_insert_with(|| match value {
                Raw::Text(text) => json!(text),
                Raw::Decimal(number) => json!([number]),
                Raw::Bool(flag) => json!(flag),
                Raw::Absent => json!(null),
                Raw::Other => json!({}),
            });
        }
        json!(values).to_string()
    }

    /// The first value of a name, if it is a text that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Raw::Text(text) => Some(text),
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => None,
        }
    }
}

impl<'a> FromIterator<Pair<'a>> for Parameters<'a> {
    fn from_iter<I: IntoIterator<Item = Pair<'a>>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Parameters(pairs.map(|(name, text)| (name, Raw::Text(text))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(canonical(same), text, "{same}");
        }
        for other in [r#"{"a":"5"}"#, r#"{"a":true}"#, r#"{"a":"[5]"}"#, "{}"] {
            assert_ne!(canonical(other), canonical(r#"{"a":5.5}"#), "{other}");
        }
    }
}
