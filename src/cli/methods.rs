//! `pointgate methods`: the methods of all endpoints, with their parameters and refusals.

use std::fmt::Write;

use crate::endpoints::Endpoints;
use crate::gateway::description::{Description, ParameterDescription};

/// Prints the methods of these endpoints.
pub fn print(endpoints: &Endpoints) {
    print!("{}", describe(endpoints));
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
        default,
        faults,
    } = parameter;
    let need = default.map_or("required".to_owned(), |default| format!("[{default}]"));
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.code, fault.message))
        .collect();
    let faults = faults.join(", ");
    let _ = writeln!(text, "    {name:<13} {kind:<28} {need:<12} {doc}; {faults}");
}
