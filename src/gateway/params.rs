//! Declared parameters: [`params!`](crate::params) lists a method's parameters in the order of their checks. Reading and
//! documenting them both derive from that list.

use std::borrow::Cow;
use std::cell::RefCell;

use super::description::ParameterDescription;
use super::fault::Fault;
use super::parameters::{Parameters, Raw};
use super::value::{Invalid, Value};

/// A declared parameter.
#[derive(Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// Other names on the wire, which count if the first one is absent.
    pub aliases: &'static [&'static str],
    /// The accepted values, such as `1 to 100`.
    pub kind: fn() -> Cow<'static, str>,
    /// The meaning, as a short noun phrase.
    pub doc: &'static str,
    /// Writes the default, if there is one; `None` = the parameter is required.
    pub default: Option<fn() -> Option<String>>,
    /// The answer to a wrong value, and to the absence of a required one.
    pub on_invalid: OnInvalid,
}

/// The answer to a wrong value, and to the absence of a required one.
#[derive(Debug, PartialEq, Eq)]
pub enum OnInvalid {
    /// A fault of the method's own.
    Own(Fault),
    /// The dialect's fault.
    Dialect,
    /// No fault: a wrong value falls back to the default.
    Default,
}

impl Field {
    /// Describes the parameter; `faults` are the dialect's.
    pub fn describe(&self, faults: &dyn ParameterFaults) -> ParameterDescription {
        let name = self.name;
        let mut faults = match &self.on_invalid {
            OnInvalid::Own(fault) => vec![fault.clone()],
            OnInvalid::Dialect if self.default.is_none() => {
                vec![faults.absent(name), faults.wrong(name)]
            }
            OnInvalid::Dialect => vec![faults.wrong(name)],
            OnInvalid::Default => Vec::new(),
        };
        faults.dedup();
        ParameterDescription {
            name,
            kind: (self.kind)(),
            doc: self.doc.trim(),
            is_required: self.default.is_none(),
            default: self.default.and_then(|write| write()),
            faults,
        }
    }
}

/// A dialect's faults for invalid parameters, used where a method declares none of its own.
pub trait ParameterFaults {
    /// The fault for a required parameter that is absent.
    fn absent(&self, name: &str) -> Fault;

    /// The fault for a value that is not of the parameter's kind.
    fn wrong(&self, name: &str) -> Fault;

    /// The fault for a text that exceeds the parameter's limit.
    fn too_long(&self, name: &str) -> Fault;
}

/// The parameters of a method; [`params!`](crate::params) implements it.
pub trait Params: Sized + Send {
    /// The parameters in the order of their checks.
    const FIELDS: &'static [Field];

    /// Reads and validates all parameters.
    ///
    /// # Errors
    /// Returns the fault of the first invalid parameter.
    fn read(reader: &Reader<'_>) -> Result<Self, Fault>;
}

/// The names of a parameter on the wire, of which the first present one counts.
type Names = &'static [&'static str];

/// Reads and validates parameters one by one; each function implements one declaration of [`params!`](crate::params).
pub struct Reader<'a> {
    parameters: &'a Parameters<'a>,
    faults: &'a dyn ParameterFaults,
    /// The optional parameters that counted as absent; `None` = a wrong one is a fault.
    skipped: Option<RefCell<Vec<&'static str>>>,
}

impl<'a> Reader<'a> {
    /// Reads from `parameters`; `faults` are the dialect's.
    pub fn new(parameters: &'a Parameters<'a>, faults: &'a dyn ParameterFaults) -> Self {
        Reader {
            parameters,
            faults,
            skipped: None,
        }
    }

    /// As [`Reader::new`], but an optional parameter that cannot be read counts as absent.
    pub fn skipping(parameters: &'a Parameters<'a>, faults: &'a dyn ParameterFaults) -> Self {
        Reader {
            skipped: Some(RefCell::default()),
            ..Reader::new(parameters, faults)
        }
    }

    /// The names of the parameters that could not be read and counted as absent.
    pub fn skipped(self) -> Vec<&'static str> {
        self.skipped.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Implements `required`.
    ///
    /// # Errors
    /// Returns the dialect's fault for an absent, wrong or too long value.
    pub fn required<T: Value>(&self, names: Names) -> Result<T, Fault> {
        match self.find(names) {
            None => {
                let empty = self.empty(names);
                empty.ok_or_else(|| self.faults.absent(names[0]))
            }
            Some((name, raw)) => self.read(name, raw, || Err(self.faults.wrong(name))),
        }
    }

    /// Implements `required or FAULT`.
    ///
    /// # Errors
    /// Returns `fault` for an absent or wrong value, the dialect's for one that is too long.
    pub fn required_or<T: Value>(&self, names: Names, fault: Fault) -> Result<T, Fault> {
        match self.find(names) {
            None => Err(fault),
            Some((name, raw)) => self.read(name, raw, || Err(fault)),
        }
    }

    /// Implements `optional(DEFAULT)`.
    ///
    /// # Errors
    /// Returns the dialect's fault for a wrong or too long value, unless the reader skips it.
    pub fn optional<T: Value>(&self, names: Names, default: T) -> Result<T, Fault> {
        let Some((name, raw)) = self.find(names) else {
            return Ok(self.empty(names).unwrap_or(default));
        };
        let read = self.read(name, raw, || Err(self.faults.wrong(name)));
        match (read, &self.skipped) {
            (Err(_), Some(skipped)) => {
                skipped.borrow_mut().push(name);
                Ok(default)
            }
            (read, _) => read,
        }
    }

    /// Implements `optional(DEFAULT) wrong => FAULT`.
    ///
    /// # Errors
    /// Returns `fault` for a wrong value, the dialect's for one that is too long.
    pub fn optional_or<T: Value>(
        &self,
        names: Names,
        default: T,
        fault: Fault,
    ) -> Result<T, Fault> {
        match self.find(names) {
            None => Ok(default),
            Some((name, raw)) => self.read(name, raw, || Err(fault)),
        }
    }

    /// Implements `optional(DEFAULT) wrong => default`.
    ///
    /// # Errors
    /// Returns the dialect's fault for a value that is too long.
    pub fn optional_lenient<T: Value>(&self, names: Names, default: T) -> Result<T, Fault> {
        match self.find(names) {
            None => Ok(default),
            Some((name, raw)) => self.read(name, raw, || Ok(default)),
        }
    }

    fn find(&self, names: Names) -> Option<(&'static str, &Raw<'_>)> {
        let mut names = names.iter();
        names.find_map(|name| Some((*name, self.parameters.get(name)?)))
    }

    /// The value of a parameter that is present and empty, for the kinds that have one.
    fn empty<T: Value>(&self, names: Names) -> Option<T> {
        let is_empty = |name: &&str| self.parameters.is_empty_text(name);
        T::empty().filter(|_| names.iter().any(is_empty))
    }

    fn read<T: Value>(
        &self,
        name: &str,
        raw: &Raw<'_>,
        wrong: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match T::read(raw) {
            Ok(value) => Ok(value),
            Err(Invalid::Wrong) => wrong(),
            Err(Invalid::TooLong) => Err(self.faults.too_long(name)),
        }
    }
}

/// Declares a method's parameters as a struct, in the order of their checks. `as "referenceId"` sets a name on the wire that
/// differs from the field's, and `as "referenceId" | "marsId"` another name of it.
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
            $field:ident: $kind:ty $(as $wire:literal $(| $alias:literal)*)? =
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
                    aliases: &[$($($alias),*)?],
                    kind: <$kind as $crate::gateway::value::Value>::kind,
                    doc: $doc,
                    default: $crate::params!(@default $kind, $presence $(($default))?),
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
                        @read reader,
                        &[$crate::params!(@wire $field $($wire)?) $($(, $alias)*)?],
                        $presence $(($default))? $(or $fault)? $(wrong => $wrong)?
                    )?,)*
                })
            }
        }
    };
    (@wire $field:ident $wire:literal) => { $wire };
    (@wire $field:ident) => { stringify!($field) };
    (@default $kind:ty, required) => { None };
    (@default $kind:ty, optional($default:expr)) => {
        Some(|| <$kind as $crate::gateway::value::Value>::write(&$default))
    };
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
