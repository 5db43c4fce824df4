//! `pointgate methods`: what the registries hold.

use std::fmt::Write;

use prometheus_client::registry::Registry as Metrics;

use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::dialect::Dialect;
use crate::gateway::fault::Fault;
use crate::gateway::params::{FaultSource, Field};
use crate::gateway::registry::Registry;
use crate::ledger::Ledger;
use crate::openapi::Openapi;
use crate::osx::Osx;
use crate::server;

/// Prints the methods of all dialects.
pub fn print(config: &Config) -> Result<(), String> {
    let yoho = server::yoho_methods(config, &Ledger::nowhere())?;
    let mut table = String::new();
    describe(&mut table, "yoho", &server::yoho(config), &yoho);
    let actions = server::openapi_methods(config, &Ledger::nowhere())?;
    let openapi = Openapi::new(&config.openapi, Clock::system(), &mut Metrics::default());
    describe(&mut table, "openapi", &openapi, &actions);
    let community = server::osx_methods(config, &Ledger::nowhere())?;
    let osx = Osx::new(&config.osx, Clock::system());
    describe(&mut table, "osx", &osx, &community);
    print!("{table}");
    Ok(())
}

/// Describes a dialect's methods; `sign` is what it is called on the command line.
fn describe<D: Dialect>(
    table: &mut String,
    sign: &str,
    dialect: &D,
    registry: &Registry<D::Caller>,
) {
    for entry in registry.entries() {
        let names: Vec<&str> = std::iter::once(entry.name)
            .chain(entry.aliases.iter().copied())
            .collect();
        let _ = writeln!(table, "{}\n    {}", names.join(" = "), entry.summary);
        for field in entry.fields {
            let Field {
                name, doc, default, ..
            } = field;
            let need = default.map_or("required".to_owned(), |default| format!("[{default}]"));
            let refusal = match &field.refusal {
                FaultSource::Own(fault) => shown(fault),
                FaultSource::Dialect if default.is_none() => format!(
                    "{}, {}",
                    shown(&dialect.absent(name)),
                    shown(&dialect.wrong(name))
                ),
                FaultSource::Dialect => shown(&dialect.wrong(name)),
                FaultSource::Never => String::new(),
            };
            let _ = writeln!(
                table,
                "    {name:<13} {:<28} {need:<12} {}; {refusal}",
                (field.kind)(),
                doc.trim()
            );
        }
        // The community's methods are told by their parameters.
        let name = match entry.name.starts_with('/') {
            true => String::new(),
            false => format!("{} ", entry.name),
        };
        // What the provider signs nobody here can.
        let _ = match entry.example {
            "" => writeln!(table),
            example => writeln!(
                table,
                "    try: pointgate sign {sign} {name}{}\n",
                example.replace('&', " ")
            ),
        };
    }
}

fn shown(fault: &Fault) -> String {
    format!("{} {}", fault.code, fault.message)
}
