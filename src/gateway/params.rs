//! Declared parameters: [`params!`](crate::params) lists a method's parameters in the order in which they are checked. Reading
//! them and describing them both derive from that list.

use std::borrow::Cow;

use super::description::ParameterDescription;
use super::fault::Fault;
use super::parameters::{Parameters, Raw};
use super::value::{Invalid, Value};

/// A declared parameter.
#[derive(Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// The values that it takes: `1 to 100`.
    pub kind: fn() -> Cow<'static, str>,
    /// What it is for.
    pub doc: &'static str,
    /// Its value when absent, as it stands in the code; `None` = it is required.
    pub default: Option<&'static str>,
    /// The answer to a value that is wrong, or absent where it is required.
    pub on_invalid: OnInvalid,
}

/// How a method answers a parameter that is wrong, or absent where it is required.
#[derive(Debug, PartialEq, Eq)]
pub enum OnInvalid {
    /// By a fault of its own.
    Own(Fault),
    /// By the dialect's fault.
    Dialect,
    /// Not at all: a wrong value falls back to the default.
    Default,
}

impl Field {
    /// Describes the parameter; `refusals` are the dialect's.
    pub fn describe(&self, refusals: &dyn ParameterFaults) -> ParameterDescription {
        let name = self.name;
        ParameterDescription {
            name,
            kind: (self.kind)(),
            doc: self.doc.trim(),
            default: self.default,
            faults: match &self.on_invalid {
                OnInvalid::Own(fault) => vec![fault.clone()],
                OnInvalid::Dialect if self.default.is_none() => {
                    vec![refusals.absent(name), refusals.wrong(name)]
                }
                OnInvalid::Dialect => vec![refusals.wrong(name)],
                OnInvalid::Default => Vec::new(),
            },
        }
    }
}

/// A dialect's faults for parameters for which the method has none of its own.
pub trait ParameterFaults {
    /// A required parameter is absent.
    fn absent(&self, name: &str) -> Fault;

    /// A value is not of the parameter's kind.
    fn wrong(&self, name: &str) -> Fault;

    /// A value is too long to be stored.
    fn too_long(&self, name: &str) -> Fault;
}

/// The parameters of a method, as [`params!`](crate::params) implements it.
pub trait Params: Sized + Send {
    /// The parameters in the order of their checks.
    const FIELDS: &'static [Field];

    /// Reads all parameters.
    ///
    /// # Errors
    /// Returns the first fault.
    fn read(reader: &Reader<'_>) -> Result<Self, Fault>;
}

/// Reads parameters one by one.
pub struct Reader<'a> {
    parameters: &'a Parameters,
    refusals: &'a dyn ParameterFaults,
}

impl<'a> Reader<'a> {
    /// Reads `parameters`, with the dialect's `refusals`.
    pub fn new(parameters: &'a Parameters, refusals: &'a dyn ParameterFaults) -> Self {
        Reader {
            parameters,
            refusals,
        }
    }

    /// `required`.
    ///
    /// # Errors
    /// Returns the dialect's fault for an absent, wrong or too long value.
    pub fn required<T: Value>(&self, name: &str) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Err(self.refusals.absent(name)),
            Some(raw) => self.read(name, raw, || Err(self.refusals.wrong(name))),
        }
    }

    /// `required or FAULT`.
    ///
    /// # Errors
    /// Returns `fault` for an absent or wrong value, the dialect's for one that is too long.
    pub fn required_or<T: Value>(&self, name: &str, fault: Fault) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Err(fault),
            Some(raw) => self.read(name, raw, || Err(fault)),
        }
    }

    /// `optional(DEFAULT)`.
    ///
    /// # Errors
    /// Returns the dialect's fault for a wrong or too long value.
    pub fn optional<T: Value>(&self, name: &str, default: T) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Ok(default),
            Some(raw) => self.read(name, raw, || Err(self.refusals.wrong(name))),
        }
    }

    /// `optional(DEFAULT) wrong => FAULT`.
    ///
    /// # Errors
    /// Returns `fault` for a wrong value, the dialect's for one that is too long.
    pub fn optional_or<T: Value>(&self, name: &str, default: T, fault: Fault) -> Result<T, Fault> {
        match self.parameters.get(name) {
            None => Ok(default),
            Some(raw) => self.read(name, raw, || Err(fault)),
        }
    }

    /// `optional(DEFAULT) wrong => default`.
    ///
    /// # Errors
    /// Returns the dialect's fault for a value that is too long.
    pub fn optional_lenient<T: Value>(&self, name: &str, default: T) -> Result<T, Fault> {
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
            Err(Invalid::Wrong) => wrong(),
            Err(Invalid::TooLong) => Err(self.refusals.too_long(name)),
        }
    }
}

/// Declares a method's parameters as a struct, in the order of their checks. `as "referenceId"` gives a name on the wire that is not
/// the field's.
///
/// | declaration | absent | wrong |
/// |---|---|---|
/// | `required` | the dialect's fault | the dialect's fault |
/// | `required or NO_UID` | `NO_UID` | `NO_UID` |
/// | `optional(1)` | 1 | the dialect's fault |
/// | `optional(1) wrong => BAD_PAGE` | 1 | `BAD_PAGE` |
/// | `optional(1) wrong => default` | 1 | 1 |
#[macro_export]
macro_rules! params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $(
            #[doc = $doc:literal]
            $field:ident: $kind:ty $(as $wire:literal)? =
                $presence:ident $(($default:expr))? $(or $fault:ident)? $(wrong => $wrong:ident)?,
        )*
    }) => {
        $(#[$meta])*
        $vis struct $name {
            $(#[doc = $doc] pub $field: $kind,)*
        }

        impl $crate::gateway::params::Params for $name {
            const FIELDS: &'static [$crate::gateway::params::Field] = &[$(
                $crate::gateway::params::Field {
                    name: $crate::params!(@wire $field $($wire)?),
                    kind: <$kind as $crate::gateway::value::Value>::kind,
                    doc: $doc,
                    default: $crate::params!(@default $presence $(($default))?),
                    on_invalid: $crate::params!(@invalid $(or $fault)? $(wrong => $wrong)?),
                }
            ),*];

            fn read(
                reader: &$crate::gateway::params::Reader<'_>,
            ) -> Result<Self, $crate::gateway::fault::Fault> {
                // Some methods have no parameters.
                let _ = reader;
                Ok(Self {
                    $($field: $crate::params!(
                        @read reader, $crate::params!(@wire $field $($wire)?),
                        $presence $(($default))? $(or $fault)? $(wrong => $wrong)?
                    )?,)*
                })
            }
        }
    };
    (@wire $field:ident $wire:literal) => { $wire };
    (@wire $field:ident) => { stringify!($field) };
    (@default required) => { None };
    (@default optional($default:expr)) => { Some(stringify!($default)) };
    (@invalid) => { $crate::gateway::params::OnInvalid::Dialect };
    (@invalid or $fault:ident) => { $crate::gateway::params::OnInvalid::Own($fault) };
    (@invalid wrong => default) => { $crate::gateway::params::OnInvalid::Default };
    (@invalid wrong => $fault:ident) => { $crate::gateway::params::OnInvalid::Own($fault) };
    (@read $reader:ident, $name:expr, required) => { $reader.required($name) };
    (@read $reader:ident, $name:expr, required or $fault:ident) => {
        $reader.required_or($name, $fault)
    };
    (@read $reader:ident, $name:expr, optional($default:expr)) => {
        $reader.optional($name, $default)
    };
    (@read $reader:ident, $name:expr, optional($default:expr) wrong => default) => {
        $reader.optional_lenient($name, $default)
    };
    (@read $reader:ident, $name:expr, optional($default:expr) wrong => $fault:ident) => {
        $reader.optional_or($name, $default, $fault)
    };
}

#[cfg(test)]
mod tests;
