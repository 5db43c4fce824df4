//! Signs sample calls for `pointgate sign yoho`.

use super::signature::client_secret;
use crate::config;
use crate::gateway::endpoint::{Sample, SignedRequest};
use crate::sign::form_query;

/// Signs a GET with the key of its `client_type`, by default the first configured one.
///
/// # Errors
/// Returns a message for the user if the sample has no method or its client type has no key.
pub fn sign(config: &config::Yoho, sample: Sample) -> Result<SignedRequest, String> {
    let method = sample
        .method
        .ok_or("which method? for example app.yohocoin.total")?;
    let mut parameters = vec![("method".to_owned(), method)];
    parameters.extend(sample.parameters);
    let given = parameters.iter().find(|(name, _)| name == "client_type");
    let client_type = match (given, sample.caller) {
        (Some((_, given)), _) => given.to_lowercase(),
        (None, caller) => {
            let first = || config.clients.keys().next().cloned();
            let client_type = caller.or_else(first);
            let client_type = client_type.ok_or("no [yoho.clients] are configured")?;
            parameters.push(("client_type".to_owned(), client_type.clone()));
            client_type.to_lowercase()
        }
    };
    let client = config.clients.get(&client_type);
    let client = client.ok_or("this client_type has no key in [yoho.clients]")?;
    let pairs = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let secret = client_secret(pairs, &client.key);
    parameters.push(("client_secret".to_owned(), secret));
    Ok(SignedRequest {
        target: format!("/gateway?{}", form_query(&parameters)),
        json: None,
    })
}
