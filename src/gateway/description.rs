//! Descriptions of methods and their parameters, for `pointgate methods`.

use std::borrow::Cow;

use super::fault::Fault;

/// The description of a method.
#[derive(Clone, Debug)]
pub struct Description {
    /// The name on the wire.
    pub name: &'static str,
    /// Other names of the same method.
    pub aliases: &'static [&'static str],
    /// The effect, in a few words.
    pub summary: &'static str,
    /// The parameters, in the order of their checks.
    pub parameters: Vec<ParameterDescription>,
    /// The arguments of `pointgate sign ENDPOINT` for a valid call; `None` if only the payment provider can sign it.
    pub sample: Option<String>,
}

/// A parameter, as documentation and error messages show it.
#[derive(Clone, Debug)]
pub struct ParameterDescription {
    /// The name on the wire.
    pub name: &'static str,
    /// The accepted values, such as `1 to 100`.
    pub kind: Cow<'static, str>,
    /// The meaning, as a short noun phrase.
    pub doc: &'static str,
    /// Whether its absence is a fault.
    pub is_required: bool,
    /// The default as it is on the wire; `None` if its absence means no value.
    pub default: Option<String>,
    /// The faults for an absent or wrong value.
    pub faults: Vec<Fault>,
}
