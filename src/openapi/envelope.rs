//! The envelope of a request: `OpenId, GrantCode, Timestamp, Nonce, Token, Action, Params`, or the same names in lower camel case.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::signature::{SignedEnvelope, Spelling};
use super::{Fault, MALFORMED, Parameters, missing_parameter};
use crate::config::SignedFields;
use crate::gateway::json;
use crate::gateway::parameters::Raw;

/// A complete envelope, not yet authenticated.
#[derive(Debug)]
pub struct Envelope {
    pub open_id: String,
    pub grant_code: String,
    pub nonce: String,
    pub token: String,
    pub action: String,
    pub parameters: Parameters<'static>,
    spelling: Spelling,
    /// The text as it was sent, which the Token covers.
    timestamp: String,
    seconds: i64,
    params: Value,
}

impl Envelope {
    /// Reads a body. A repeated name in an object counts with its last value, for the signature and for the Action alike.
    ///
    /// # Errors
    /// Returns 100002 for a malformed envelope, 100001 for a missing field.
    pub fn read(body: &[u8]) -> Result<Envelope, Fault> {
        let mut fields: Map<String, Value> = json::read(body).ok_or(MALFORMED)?;
        // All names must have one spelling, so that the signature covers exactly the fields that are read.
        let spelling = match fields.contains_key("openId") && !fields.contains_key("OpenId") {
            true => Spelling::Camel,
            false => Spelling::Pascal,
        };
        let params = fields.remove(spelling.params()).unwrap_or(Value::Null);
        let parameters = match &params {
            Value::Object(_) => Parameters::deserialize(&params).map_err(|_| MALFORMED)?,
            Value::Array(items) if items.is_empty() => Parameters::default(),
            Value::Null => Parameters::default(),
            Value::String(text) if text.is_empty() => Parameters::default(),
            _ => return Err(MALFORMED),
        };
        let no_params = matches!(params, Value::Null | Value::String(_));

        let fields = Parameters::deserialize(&Value::Object(fields)).map_err(|_| MALFORMED)?;
        let names = spelling.names();
        if names
            .iter()
            .filter_map(|name| fields.get(name))
            .any(|raw| !matches!(raw, Raw::Text(_)))
        {
            return Err(MALFORMED);
        }
        let seconds = match fields.text(spelling.timestamp()) {
            Some(text) => text.parse().map_err(|_| MALFORMED)?,
            None => 0,
        };
        let mut texts = names.iter().map(|name| {
            let text = fields.text(name).map(str::to_owned);
            text.ok_or_else(|| missing_parameter(name))
        });
        let mut next = || texts.next().unwrap_or(Err(MALFORMED));
        let envelope = Envelope {
            open_id: next()?,
            grant_code: next()?,
            timestamp: next()?,
            nonce: next()?,
            token: next()?,
            action: next()?,
            parameters,
            spelling,
            seconds,
            params,
        };
        match no_params {
            true => Err(missing_parameter(spelling.params())),
            false => Ok(envelope),
        }
    }

    /// The time of the Timestamp (ms since 1970 UTC).
    pub fn at(&self) -> i64 {
        self.seconds.saturating_mul(1000)
    }

    /// The values that the Token must cover.
    pub fn signed(&self, sign: SignedFields) -> SignedEnvelope<'_> {
        SignedEnvelope {
            spelling: self.spelling,
            open_id: &self.open_id,
            grant_code: &self.grant_code,
            timestamp: &self.timestamp,
            nonce: &self.nonce,
            call: (sign == SignedFields::Full).then_some((&self.action, &self.params)),
        }
    }
}

#[cfg(test)]
mod tests;
