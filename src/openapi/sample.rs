//! Signs sample envelopes for `pointgate sign openapi`.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use serde_json::{Map, Value};

use super::signature::{SignedEnvelope, Spelling};
use crate::config::{self, SignedFields};
use crate::gateway::endpoint::{Sample, SignedRequest};
use crate::sign::form_encode;

/// Signs an envelope as the partner whose OpenId is the sample's caller, by default as the first configured one.
///
/// # Errors
/// Returns a message for the user if the sample has no Action or there is no such partner.
pub fn sign(config: &config::Openapi, sample: Sample) -> Result<SignedRequest, String> {
    let action = sample
        .method
        .ok_or("which Action? for example user.user-points-records")?;
    let mut partners = config.partners.iter();
    let partner = match sample.caller {
        None => partners
            .next()
            .ok_or("no [[openapi.partners]] are configured")?,
        Some(open_id) => partners
            .find(|partner| partner.open_id == open_id)
            .ok_or("no partner in [[openapi.partners]] has this open_id")?,
    };
    let params = sample.parameters.into_iter();
    let params: Map<String, Value> = params.map(|(name, value)| (name, value.into())).collect();
    let mut params = Value::Object(params);
    params.sort_all_objects();
    let signed_params = params.to_string();
    let timestamp = sample.now.to_string();
    let nonce = random().to_string();
    let spelling = Spelling::Pascal;
    let signed = SignedEnvelope {
        spelling,
        open_id: &partner.open_id,
        grant_code: partner.grant_code.reveal(),
        timestamp: &timestamp,
        nonce: &nonce,
        call: (partner.sign == SignedFields::Full).then_some((
            "Action",
            action.as_str(),
            signed_params.as_str(),
        )),
    };
    let token = form_encode(&signed.sign(&partner.secret).base64());
    let texts = [
        signed.open_id,
        signed.grant_code,
        &timestamp,
        &nonce,
        &token,
        &action,
    ];
    let action_name = spelling.actions().iter().take(1).copied();
    let names = spelling.names().into_iter().chain(action_name);
    let mut envelope: Map<String, Value> = names
        .zip(texts)
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect();
    envelope.insert(spelling.params().to_owned(), params.clone());
    Ok(SignedRequest {
        target: "/api/v2".to_owned(),
        json: Some(Value::Object(envelope).to_string()),
    })
}

/// A random positive number: the standard library seeds its hashers with one, which is enough for a sample's nonce.
fn random() -> u64 {
    RandomState::new().build_hasher().finish() >> 1
}
