//! Parameters: how one is read from `"5"` or `5`, and which refusal its absence earns.
//!
//! A method declares its parameters with [`params!`](crate::params) in the order in which they are checked; reading
//! them and describing them both derive from that.

use std::borrow::Cow;

use super::fault::Fault;
pub use super::value::{Bad, Decimal, Flag, Text, Value, Within};

/// A parameter as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// A text, or a whole number as its digits.
    Text(String),
    /// Nothing: JSON's `null`.
    Absent,
    /// A number with a fraction, as it is written.
    Decimal(String),
    /// JSON's `true` or `false`.
    Bool(bool),
    /// What no parameter can be: a list or an object.
    Other,
}

/// The parameters of a request, in the order in which they came. A repeated name counts with its first value.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, Raw)>);

impl Parameters {
    /// Adds a parameter; an earlier one of the same name goes before it.
    pub fn push(&mut self, name: String, value: Raw) {
        self.0.push((name, value));
    }

    /// Adds all of these behind one's own.
    pub fn append(&mut self, mut more: Parameters) {
        self.0.append(&mut more.0);
    }

    /// The first value of this name; none where it is absent or `""`.
    pub fn get(&self, name: &str) -> Option<&Raw> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        match value {
            Raw::Text(text) if text.is_empty() => None,
            Raw::Absent => None,
            value => Some(value),
        }
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Raw::Text(text) => Some(text),
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => None,
        }
    }

    /// All of them that are texts, repetitions included.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| match value {
            Raw::Text(text) => Some((name.as_str(), text.as_str())),
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => None,
        })
    }
}

/// One declared parameter, for documentation.
#[derive(Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it may be.
    pub kind: fn() -> Cow<'static, str>,
    /// What it is for.
    pub doc: &'static str,
    /// What it is where it is absent; none where it is required.
    pub default: Option<&'static str>,
    /// What its absence, or a wrong value, earns.
    pub refusal: FaultSource,
}

/// How a declared parameter is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum FaultSource {
    /// By the method's own fault.
    Own(Fault),
    /// By the dialect's.
    Dialect,
    /// Not at all: a wrong value counts as absent.
    Never,
}

/// How a dialect refuses parameters for which the method has no refusal of its own.
pub trait Refusals {
    /// One that must be there and is not.
    fn absent(&self, name: &str) -> Fault;

    /// One that is not of its kind.
    fn wrong(&self, name: &str) -> Fault;

    /// One that is too long.
    fn too_long(&self, name: &str) -> Fault;
}

/// What [`params!`](crate::params) makes.
pub trait Params: Sized + Send {
    /// The parameters in the order of their checks.
    const FIELDS: &'static [Field];

    /// Reads all of them.
    ///
    /// # Errors
    /// The first refusal.
    fn read(reader: &Reader<'_>) -> Result<Self, Fault>;
}

/// Reads parameters one by one.
pub struct Reader<'a> {
    parameters: &'a Parameters,
    refusals: &'a dyn Refusals,
}

impl<'a> Reader<'a> {
    /// Over these parameters, with the dialect's refusals.
    pub fn new(parameters: &'a Parameters, refusals: &'a dyn Refusals) -> Self {
        Reader {
            parameters,
            refusals,
        }
    }

    /// One that must be there.
    ///
    /// # Errors
    /// The dialect's where it is absent, wrong or too long.
    pub fn must<T: Value>(&self, name: &str) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Err(self.refusals.absent(name)),
            Some(raw) => self.read(name, raw, || Err(self.refusals.wrong(name))),
        }
    }

    /// One that may be absent, but not wrong.
    ///
    /// # Errors
    /// The dialect's where it is wrong or too long.
    pub fn may<T: Value>(&self, name: &str, default: T) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Ok(default),
            Some(raw) => self.read(name, raw, || Err(self.refusals.wrong(name))),
        }
    }

    /// One that must be there.
    ///
    /// # Errors
    /// `fault` where it is absent or wrong, the dialect's where it is too long.
    pub fn required<T: Value>(&self, name: &str, fault: Fault) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Err(fault),
            Some(raw) => self.read(name, raw, || Err(fault)),
        }
    }

    /// One that may be absent, but not wrong.
    ///
    /// # Errors
    /// `fault` where it is wrong, the dialect's where it is too long.
    pub fn checked<T: Value>(&self, name: &str, default: T, fault: Fault) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Ok(default),
            Some(raw) => self.read(name, raw, || Err(fault)),
        }
    }

    /// One that may be absent; a wrong one counts as absent.
    ///
    /// # Errors
    /// The dialect's where it is too long.
    pub fn default<T: Value>(&self, name: &str, default: T) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Ok(default),
            Some(raw) => self.read(name, raw, || Ok(default)),
        }
    }

    fn read<T: Value>(
        &self,
        name: &str,
        raw: &Raw,
        wrong: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match T::read(raw) {
            Ok(value) => Ok(value),
            Err(Bad::Wrong) => wrong(),
            Err(Bad::TooLong) => Err(self.refusals.too_long(name)),
        }
    }
}

/// Declares a method's parameters as a struct, in the order of their checks:
///
/// - `required("uid", FAULT)`: absent or wrong earns the fault;
/// - `checked("queryType", 0, FAULT)`: absent is the default, wrong earns the fault;
/// - `default("page", 1)`: absent or wrong is the default;
/// - `must("user_id")`: absent or wrong earns the dialect's refusal;
/// - `may("page", 1)`: absent is the default, wrong earns the dialect's refusal.
#[macro_export]
macro_rules! params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $(#[doc = $doc:literal] $field:ident: $kind:ty = $rule:ident($wire:literal $(, $arg:expr)*),)*
    }) => {
        $(#[$meta])*
        $vis struct $name {
            $(#[doc = $doc] pub $field: $kind,)*
        }

        impl $crate::gateway::params::Params for $name {
            const FIELDS: &'static [$crate::gateway::params::Field] =
                &[$($crate::params!(@field $rule, $kind, $doc, $wire $(, $arg)*)),*];

            fn read(
                reader: &$crate::gateway::params::Reader<'_>,
            ) -> Result<Self, $crate::gateway::fault::Fault> {
                // Some methods take nothing.
                let _ = reader;
                Ok(Self { $($field: reader.$rule($wire $(, $arg)*)?,)* })
            }
        }
    };
    (@field required, $kind:ty, $doc:literal, $wire:literal, $fault:expr) => {
        $crate::params!(@made $kind, $doc, $wire, None, Own($fault))
    };
    (@field checked, $kind:ty, $doc:literal, $wire:literal, $default:expr, $fault:expr) => {
        $crate::params!(@made $kind, $doc, $wire, Some(stringify!($default)), Own($fault))
    };
    (@field default, $kind:ty, $doc:literal, $wire:literal, $default:expr) => {
        $crate::params!(@made $kind, $doc, $wire, Some(stringify!($default)), Never)
    };
    (@field must, $kind:ty, $doc:literal, $wire:literal) => {
        $crate::params!(@made $kind, $doc, $wire, None, Dialect)
    };
    (@field may, $kind:ty, $doc:literal, $wire:literal, $default:expr) => {
        $crate::params!(@made $kind, $doc, $wire, Some(stringify!($default)), Dialect)
    };
    (@made $kind:ty, $doc:literal, $wire:literal, $default:expr, $refusal:ident $(($fault:expr))?) => {
        $crate::gateway::params::Field {
            name: $wire,
            kind: <$kind as $crate::gateway::params::Value>::kind,
            doc: $doc,
            default: $default,
            refusal: $crate::gateway::params::FaultSource::$refusal $(($fault))?,
        }
    };
}

#[cfg(test)]
mod tests;
