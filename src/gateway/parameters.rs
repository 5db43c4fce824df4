//! The parameters of a request before validation.

/// The value of a parameter before validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// A text, or the digits of a whole number.
    Text(String),
    /// JSON's `null`.
    Absent,
    /// A number with a fraction, in decimal notation.
    Decimal(String),
    /// JSON's `true` or `false`.
    Bool(bool),
    /// A list or an object, which no parameter can be.
    Other,
}

/// The parameters of a request, in their order on the wire. A repeated name counts with its first value.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, Raw)>);

impl Parameters {
    /// Adds a parameter; an earlier one of the same name takes precedence.
    pub fn push(&mut self, name: String, value: Raw) {
        self.0.push((name, value));
    }

    /// Appends parameters; those of names that are present already have no effect.
    pub fn append(&mut self, mut more: Parameters) {
        self.0.append(&mut more.0);
    }

    /// The first value of a name; `None` if it is absent or `""`.
    pub fn get(&self, name: &str) -> Option<&Raw> {
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

    /// Consumes the parameters into the names and values of those that are texts, in their order on the wire.
    pub fn into_texts(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter().filter_map(|(name, value)| match value {
            Raw::Text(text) => Some((name, text)),
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => None,
        })
    }

    /// All names and values that are texts, repetitions included.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| match value {
            Raw::Text(text) => Some((name.as_str(), text.as_str())),
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => None,
        })
    }
}
