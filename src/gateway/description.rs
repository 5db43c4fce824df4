//! Methods and their parameters as documentation shows them.

use std::borrow::Cow;

use super::fault::Fault;

/// A method, described.
#[derive(Clone, Debug)]
pub struct Description {
    /// Its name on the wire.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Its parameters, in the order of their checks.
    pub parameters: Vec<ParameterDescription>,
    /// The arguments of `pointgate sign` for a call that works; `None` where the provider signs.
    pub sample: Option<String>,
}

/// A parameter, described.
#[derive(Clone, Debug)]
pub struct ParameterDescription {
    /// Its name on the wire.
    pub name: &'static str,
    /// The values that it takes: `1 to 100`.
    pub kind: Cow<'static, str>,
    /// What it is for.
    pub doc: &'static str,
    /// Its value when absent, as it stands in the code; `None` = it is required.
    pub default: Option<&'static str>,
    /// How its absence and a wrong value are answered.
    pub faults: Vec<Fault>,
}
