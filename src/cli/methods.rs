//! `pointgate methods`: the methods of all endpoints, with their parameters and refusals.

use std::fmt::Write;

use super::output;
use crate::endpoints::Endpoints;
use crate::gateway::description::{Description, ParameterDescription};

/// Prints the methods of these endpoints.
///
/// # Errors
/// Returns a message for the user if the output cannot be written.
pub fn print(endpoints: &Endpoints) -> Result<(), String> {
    output::line(describe(endpoints).trim_end())
}

/// Describes the methods of these endpoints as text.
pub fn describe(endpoints: &Endpoints) -> String {
    let mut text = String::new();
    for endpoint in endpoints {
        for method in endpoint.methods() {
            describe_method(&mut text, endpoint.name(), &method);
        }
    }
    text
}

fn describe_method(text: &mut String, endpoint: &str, method: &Description) {
    let names: Vec<&str> = std::iter::once(method.name)
        .chain(method.aliases.iter().copied())
        .collect();
    let _ = writeln!(text, "{}\n    {}", names.join(" = "), method.summary);
    for parameter in &method.parameters {
        describe_parameter(text, parameter);
    }
    let _ = match &method.sample {
        None => writeln!(text),
        Some(sample) => writeln!(text, "    try: pointgate sign {endpoint} {sample}\n"),
    };
}

fn describe_parameter(text: &mut String, parameter: &ParameterDescription) {
    let ParameterDescription {
        name,
        kind,
        doc,
        is_required,
        default,
        faults,
    } = parameter;
    let presence = match default {
        Some(default) => format!("[{default}]"),
        None if *is_required => "required".to_owned(),
        None => "optional".to_owned(),
    };
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.code, fault.message))
        .collect();
    let _ = write!(text, "    {name:<13} {kind:<28} {presence:<9} {doc}");
    let _ = match faults.is_empty() {
        true => writeln!(text),
        false => writeln!(text, "; {}", faults.join(", ")),
    };
}
