//! `pointgate sign`: requests with a good signature, for a tester without debug.

use crate::config::Config;
use crate::yoho::{client_secret, encode};

/// Reads `key=value`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("this is not KEY=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Prints a signed URL and a line for curl.
pub fn yoho(
    config: &Config,
    method: &str,
    parameters: Vec<(String, String)>,
) -> Result<(), String> {
    let url = yoho_url(config, method, parameters)?;
    println!("{url}\n\ncurl '{url}'");
    Ok(())
}

fn yoho_url(
    config: &Config,
    method: &str,
    mut parameters: Vec<(String, String)>,
) -> Result<String, String> {
    let keys = &config.yoho.client_keys;
    if !parameters.iter().any(|(name, _)| name == "client_type") {
        let first = keys
            .keys()
            .next()
            .ok_or("no [yoho.client_keys] are configured")?;
        parameters.push(("client_type".into(), first.clone()));
    }
    let client_type = parameters
        .iter()
        .find(|(name, _)| name == "client_type")
        .map(|(_, value)| value.to_lowercase());
    let key = client_type
        .as_ref()
        .and_then(|client_type| keys.get(client_type));
    let key = key.ok_or("this client_type has no key in [yoho.client_keys]")?;
    parameters.insert(0, ("method".into(), method.to_owned()));
    let pairs = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let secret = client_secret(pairs, key);
    parameters.push(("client_secret".into(), secret));
    let query: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let mut host = config.server.listen;
    if host.ip().is_unspecified() {
        host.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    Ok(format!("http://{host}/gateway?{}", query.join("&")))
}
