//! The fields of an event of the payment provider, as they are written: a number may be a text, and a text a number of any length.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::gateway::json;
use crate::gateway::parameters::Raw;
use crate::gateway::value::is_storable;

/// The fields of a JSON object. A repeated name counts with its last value.
pub struct EventFields(BTreeMap<String, Box<RawValue>>);

/// The names of fields that are present and cannot be read.
#[derive(Debug, Default)]
pub struct Unreadable(RefCell<Vec<&'static str>>);

impl Unreadable {
    /// The names, in the order in which the fields were read.
    pub fn into_names(self) -> Vec<&'static str> {
        self.0.into_inner()
    }

    /// Notes a field that is not of its kind.
    pub fn note(&self, name: &'static str) {
        self.0.borrow_mut().push(name);
    }

    fn noted<T>(&self, name: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.note(name);
        }
        value
    }
}

impl EventFields {
    /// Reads a JSON text; `None` if it is no object.
    pub fn read(body: &[u8]) -> Option<EventFields> {
        json::read(body).map(EventFields)
    }

    /// The fields of an object in a field; `None` if it is absent or something else.
    pub fn object(&self, name: &str) -> Option<EventFields> {
        EventFields::read(self.0.get(name)?.get().as_bytes())
    }

    /// A text of 1 to `most` characters that may be stored; `None` if the field is absent, empty or null.
    pub fn text(&self, name: &'static str, most: usize, unreadable: &Unreadable) -> Option<String> {
        let text = match self.present(name)? {
            Raw::Text(text) => Some(text.into_owned()),
            number @ Raw::Decimal(_) => number.whole_number().map(|number| number.to_string()),
            Raw::Bool(_) | Raw::Absent | Raw::Other => None,
        };
        let fits = |text: &String| text.chars().nth(most).is_none() && is_storable(text);
        unreadable.noted(name, text.filter(fits))
    }

    /// A whole number; `None` if the field is absent, empty or null.
    pub fn number(&self, name: &'static str, unreadable: &Unreadable) -> Option<i64> {
        unreadable.noted(name, self.present(name)?.whole_number())
    }

    /// Whether a field is true; `None` if it is absent, empty or null.
    pub fn flag(&self, name: &'static str, unreadable: &Unreadable) -> Option<bool> {
        let flag = match self.present(name)? {
            Raw::Bool(flag) => Some(flag),
            Raw::Text(_) | Raw::Decimal(_) | Raw::Absent | Raw::Other => None,
        };
        unreadable.noted(name, flag)
    }

    /// The value of a field that is neither empty nor null. An invalid escape is a value that nothing can read.
    fn present(&self, name: &str) -> Option<Raw<'static>> {
        match json::raw(self.0.get(name)?).unwrap_or(Raw::Other) {
            Raw::Absent => None,
            Raw::Text(text) if text.is_empty() => None,
            value => Some(value),
        }
    }
}
