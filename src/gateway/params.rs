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
    pub refusal: Refusal,
}

/// How a declared parameter is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
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
            refusal: $crate::gateway::params::Refusal::$refusal $(($fault))?,
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Fault = Fault::new(1, "absent");
    const WRONG: Fault = Fault::new(2, "wrong");

    params! {
        /// One parameter of each rule.
        #[derive(Debug, PartialEq)]
        struct Sample {
            /// Must be there.
            id: i64 = required("id", ABSENT),
            /// May be absent.
            kind: i64 = checked("kind", 7, WRONG),
            /// Never refused.
            page: Option<i64> = default("page", None),
            /// Not too long.
            note: Option<Text<3>> = default("note", None),
            /// May be absent; wrong is for the dialect to refuse.
            size: Within<1, 3> = may("size", Within(2)),
            /// For the dialect to refuse.
            last: i64 = must("last"),
        }
    }

    struct Dialect;

    impl Refusals for Dialect {
        fn absent(&self, name: &str) -> Fault {
            named(3, name)
        }

        fn wrong(&self, name: &str) -> Fault {
            named(4, name)
        }

        fn too_long(&self, name: &str) -> Fault {
            named(5, name)
        }
    }

    fn named(code: i64, name: &str) -> Fault {
        Fault::naming(code, name.to_owned())
    }

    fn read(json: &str) -> Result<Sample, Fault> {
        let parameters: Parameters = serde_json::from_str(json).expect("an object");
        Sample::read(&Reader::new(&parameters, &Dialect))
    }

    fn sample(id: i64, kind: i64, page: Option<i64>, note: Option<&str>) -> Result<Sample, Fault> {
        Ok(Sample {
            id,
            kind,
            page,
            note: note.map(|note| Text(note.into())),
            size: Within(2),
            last: 0,
        })
    }

    #[test]
    fn each_rule_and_each_spelling() {
        let rows = [
            (r#"{"id":5}"#, sample(5, 7, None, None)),
            (
                r#"{"id":"5","kind":"8","page":"2","note":"abc"}"#,
                sample(5, 8, Some(2), Some("abc")),
            ),
            (r#"{"id":5.0,"note":12}"#, sample(5, 7, None, Some("12"))),
            (r#"{"id":1,"id":2}"#, sample(1, 7, None, None)),
            (
                r#"{"id":1,"kind":"","page":null,"note":""}"#,
                sample(1, 7, None, None),
            ),
            (r#"{"id":1,"page":"x"}"#, sample(1, 7, None, None)),
            (
                r#"{"id":1,"note":"一二三"}"#,
                sample(1, 7, None, Some("一二三")),
            ),
            (r#"{"none":0}"#, Err(ABSENT)),
            (r#"{"id":""}"#, Err(ABSENT)),
            (r#"{"id":null}"#, Err(ABSENT)),
            (r#"{"id":5.5}"#, Err(ABSENT)),
            (r#"{"id":[5]}"#, Err(ABSENT)),
            (r#"{"id":{"id":5}}"#, Err(ABSENT)),
            (r#"{"id":true}"#, Err(ABSENT)),
            (r#"{"id":99999999999999999999}"#, Err(ABSENT)),
            (r#"{"id":1,"note":"a\u0000"}"#, sample(1, 7, None, None)),
            (r#"{"kind":"x"}"#, Err(ABSENT)),
            (r#"{"id":1,"kind":"x"}"#, Err(WRONG)),
            (r#"{"id":1,"note":"一二三四"}"#, Err(named(5, "note"))),
            (r#"{"id":1,"size":""}"#, sample(1, 7, None, None)),
            (r#"{"id":1,"size":0}"#, Err(named(4, "size"))),
            (r#"{"id":1,"size":"4"}"#, Err(named(4, "size"))),
            (r#"{"id":1,"size":"x"}"#, Err(named(4, "size"))),
            (r#"{"id":1,"last":"","size":3}"#, Err(named(3, "last"))),
            (r#"{"id":1,"last":"x"}"#, Err(named(4, "last"))),
        ];
        for (json, expected) in rows {
            // Most rows are about other parameters than the one that the dialect misses.
            let json = match json.contains("last") {
                true => json.to_owned(),
                false => json.replacen('{', r#"{"last":0,"#, 1),
            };
            assert_eq!(read(&json), expected, "{json}");
        }
    }

    #[test]
    fn the_declaration_describes_itself() {
        let fields: Vec<_> = Sample::FIELDS
            .iter()
            .map(|field| (field.name, (field.kind)(), field.default, &field.refusal))
            .collect();
        assert_eq!(
            fields,
            [
                ("id", "whole number".into(), None, &Refusal::Own(ABSENT)),
                (
                    "kind",
                    "whole number".into(),
                    Some("7"),
                    &Refusal::Own(WRONG)
                ),
                ("page", "whole number".into(), Some("None"), &Refusal::Never),
                ("note", "text".into(), Some("None"), &Refusal::Never),
                (
                    "size",
                    "1 to 3".into(),
                    Some("Within(2)"),
                    &Refusal::Dialect
                ),
                ("last", "whole number".into(), None, &Refusal::Dialect),
            ]
        );
        assert_eq!(Sample::FIELDS[0].doc.trim(), "Must be there.");
    }
}
