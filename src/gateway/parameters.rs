//! The parameters of a request before validation. They borrow what they can from the request.

use std::borrow::Cow;

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
