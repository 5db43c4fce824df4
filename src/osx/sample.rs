//! Signs sample callbacks for `pointgate sign osx`.

use super::signature::sign as sign_values;
use super::{notify, user_info};
use crate::config;
use crate::gateway::endpoint::{Sample, SignedRequest};
use crate::sign::form_query;

/// The time until a signed sample expires (s).
const VALID_FOR: i64 = 600;

/// Signs `/userActionNotify` if the sample has an `action`, otherwise `/getUserInfo`. Adds `appKey` and `endtimestamp` if they are
/// absent.
///
/// # Errors
/// Returns a message for the user if the community has no keys.
pub fn sign(config: &config::Osx, sample: Sample) -> Result<SignedRequest, String> {
    let keys = config.keys.as_ref();
    let keys = keys.ok_or("[osx] app_key and app_secret are not configured")?;
    let mut parameters = sample.parameters;
    let path = match parameters.iter().any(|(name, _)| name == "action") {
        true => notify::PATH,
        false => user_info::PATH,
    };
    let end = sample.now + VALID_FOR;
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
    let signature = sign_values(pairs, &keys.app_secret);
    parameters.push(("sign".to_owned(), signature));
    Ok(SignedRequest {
        target: format!("{path}?{}", form_query(&parameters)),
        json: None,
    })
}
