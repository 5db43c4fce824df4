//! `pointgate sign`: prints a signed sample request.

use super::output;
use crate::clock::Clock;
use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::gateway::endpoint::Sample;

/// Prints a signed request: its URL where it is a GET, and a line for curl.
///
/// # Errors
/// Returns the reason in words if there is no such endpoint, or if no configured key fits.
pub fn sign(
    config: &Config,
    endpoints: &Endpoints,
    endpoint: &str,
    arguments: &[String],
    caller: Option<String>,
) -> Result<(), String> {
    let named = endpoints.iter().find(|known| known.name() == endpoint);
    let named = named.ok_or_else(|| {
        let names: Vec<&str> = endpoints.iter().map(|known| known.name()).collect();
        format!(
            "no endpoint is called {endpoint}; there are {}",
            names.join(", ")
        )
    })?;
    let signed = named.sign(Sample {
        caller,
        now: Clock::system().now() / 1000,
        ..read(arguments)?
    })?;
    let base = base(config);
    if signed.json.is_none() {
        output::line(format_args!("{base}{}\n", signed.target))?;
    }
    output::line(signed.curl(&base))
}

/// Reads the arguments: a method, if the first one has no `=`, and parameters as `KEY=VALUE`.
///
/// # Errors
/// Returns the argument that is neither, in words.
pub fn read(arguments: &[String]) -> Result<Sample, String> {
    let mut sample = Sample::default();
    for (place, argument) in arguments.iter().enumerate() {
        match argument.split_once('=') {
            Some((name, value)) => {
                let parameter = (name.to_owned(), value.to_owned());
                sample.parameters.push(parameter);
            }
            None if place == 0 => sample.method = Some(argument.clone()),
            None => return Err(format!("{argument} is not KEY=VALUE")),
        }
    }
    Ok(sample)
}

/// Where the configured server is reached from this machine.
fn base(config: &Config) -> String {
    let mut host = config.server.listen;
    if host.ip().is_unspecified() {
        host.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{host}")
}
