//! `pointgate sign`: requests with a good signature, for a tester without debug.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::config::{Config, Sign};
use crate::openapi::{Signed, Spelling};
use crate::osx;
use crate::sign::form_encode;
use crate::yoho::client_secret;

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
    Ok(format!("{}/gateway?{}", base(config), query(&parameters)))
}

/// For how long a signed request of the community is good (seconds).
const GOOD_FOR: i64 = 600;

/// Prints a signed URL of the community and a line for curl.
pub fn osx(config: &Config, mut parameters: Vec<(String, String)>) -> Result<(), String> {
    let keys = config.osx.keys.as_ref();
    let keys = keys.ok_or("[osx] app_key and app_secret are not configured")?;
    let path = match parameters.iter().any(|(name, _)| name == "action") {
        true => "/userActionNotify",
        false => "/getUserInfo",
    };
    let end = Clock::system().now() / 1000 + GOOD_FOR;
    for (name, value) in [
        ("appKey", keys.app_key.clone()),
        ("endtimestamp", end.to_string()),
    ] {
        if !parameters.iter().any(|(given, _)| given == name) {
            parameters.push((name.to_owned(), value));
        }
    }
    let pairs = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let signature = osx::sign(pairs, &keys.app_secret);
    parameters.push(("sign".to_owned(), signature));
    let url = format!("{}{path}?{}", base(config), query(&parameters));
    println!("{url}\n\ncurl '{url}'");
    Ok(())
}

/// Prints a line for curl.
pub fn openapi(
    config: &Config,
    action: &str,
    parameters: Vec<(String, String)>,
    open_id: Option<&str>,
) -> Result<(), String> {
    let mut partners = config.openapi.partners.iter();
    let partner = match open_id {
        None => partners
            .next()
            .ok_or("no [[openapi.partners]] are configured")?,
        Some(open_id) => partners
            .find(|partner| partner.open_id == open_id)
            .ok_or("no partner in [[openapi.partners]] has this open_id")?,
    };
    let params: Map<String, Value> = parameters
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    let params = Value::Object(params);
    let timestamp = (Clock::system().now() / 1000).to_string();
    let nonce = random().to_string();
    let spelling = Spelling::Pascal;
    let signed = Signed {
        spelling,
        open_id: &partner.open_id,
        grant_code: partner.grant_code.reveal(),
        timestamp: &timestamp,
        nonce: &nonce,
        call: (partner.sign == Sign::Full).then_some((action, &params)),
    };
    let token = form_encode(&signed.token(&partner.secret));
    let texts = [
        signed.open_id,
        signed.grant_code,
        &timestamp,
        &nonce,
        &token,
        action,
    ];
    let mut envelope: Map<String, Value> = spelling
        .names()
        .into_iter()
        .zip(texts)
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect();
    envelope.insert(spelling.params().to_owned(), params.clone());
    // Between single quotes a shell takes all as it is, but for the quote itself.
    let envelope = Value::Object(envelope).to_string().replace('\'', "'\\''");
    println!(
        "curl '{}/api/v2' -H 'Content-Type: application/json' -d '{envelope}'",
        base(config)
    );
    Ok(())
}

fn query(parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", form_encode(name), form_encode(value)))
        .collect();
    pairs.join("&")
}

/// Where the configured server is reached from this machine.
fn base(config: &Config) -> String {
    let mut host = config.server.listen;
    if host.ip().is_unspecified() {
        host.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{host}")
}

/// A random positive number: the standard library's hashers start from one.
fn random() -> u64 {
    RandomState::new().build_hasher().finish() >> 1
}
