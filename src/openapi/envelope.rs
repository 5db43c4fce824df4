//! The envelope of a request: `OpenId, GrantCode, Timestamp, Nonce, Token, Action, Params`, or the same names in lower camel case.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::signature::{SignedEnvelope, Spelling};
use super::{Fault, MALFORMED, Parameters, missing_parameter};
use crate::gateway::json;
use crate::gateway::parameters::Raw;

/// The fields of a JSON object, of a repeated name the last.
type Fields = BTreeMap<String, Box<RawValue>>;

/// A complete envelope, not yet authenticated.
#[derive(Debug)]
pub struct Envelope {
    pub open_id: String,
    pub grant_code: String,
    pub nonce: String,
    pub token: String,
    pub action: String,
    action_name: &'static str,
    /// The parameters in Params as they were sent.
    pub parameters: Parameters<'static>,
    spelling: Spelling,
    /// The text as it was sent, which the Token covers.
    timestamp: String,
    seconds: i64,
    params: String,
}

impl Envelope {
    /// Reads a body. A repeated name in an object counts with its last value, for the signature and for the Action alike.
    ///
    /// # Errors
    /// Returns 100002 for a malformed envelope, 100001 for a missing field.
    pub fn read(body: &[u8]) -> Result<Envelope, Fault> {
        let fields: Fields = json::read(body).ok_or(MALFORMED)?;
        // All names must have one spelling, so that the signature covers exactly the fields that are read.
        let spelling = match fields.contains_key("openId") && !fields.contains_key("OpenId") {
            true => Spelling::Camel,
            false => Spelling::Pascal,
        };
        let params = fields.get(spelling.params());
        let params = params.map_or("null", |params| params.get()).to_owned();
        let parameters = read_params(&params)?;
        let mut texts = BTreeMap::new();
        for name in spelling.names() {
            if let Some(text) = text(&fields, name)? {
                texts.insert(name, text);
            }
        }
        let mut action = None;
        for &name in spelling.actions() {
            if action.is_none() {
                action = text(&fields, name)?.map(|text| (name, text));
            }
        }
        let seconds = match texts.get(spelling.timestamp()) {
            Some(text) => text.trim().parse().map_err(|_| MALFORMED)?,
            None => 0,
        };
        let mut names = spelling.names().into_iter();
        let mut next = || {
            let name = names.next().unwrap_or_default();
            texts.remove(name).ok_or_else(|| missing_parameter(name))
        };
        let [open_id, grant_code, timestamp, nonce, token] =
            [next()?, next()?, next()?, next()?, next()?];
        let missing = || missing_parameter(spelling.actions()[0]);
        let (action_name, action) = action.ok_or_else(missing)?;
        let envelope = Envelope {
            open_id,
            grant_code,
            timestamp,
            nonce,
            token,
            action,
            action_name,
            parameters,
            spelling,
            seconds,
            params,
        };
        match envelope.params.as_str() {
            "null" | r#""""# => Err(missing_parameter(spelling.params())),
            _ => Ok(envelope),
        }
    }

    /// The time of the Timestamp (ms since 1970 UTC).
    pub fn at(&self) -> i64 {
        self.seconds.saturating_mul(1000)
    }

    /// The values that the Token must cover; `params` is a text of Params if it covers Action and Params.
    pub fn signed<'s>(&'s self, params: Option<&'s str>) -> SignedEnvelope<'s> {
        SignedEnvelope {
            spelling: self.spelling,
            open_id: &self.open_id,
            grant_code: &self.grant_code,
            timestamp: &self.timestamp,
            nonce: &self.nonce,
            call: params.map(|params| (self.action_name, self.action.as_str(), params)),
        }
    }

    /// Params as they were sent, without white space between their parts.
    pub fn sent_params(&self) -> String {
        compact(&self.params)
    }

    /// Params as a library writes them that has parsed them: with sorted keys, and its own form of numbers and escapes. `None` if it
    /// cannot hold them.
    pub fn sorted_params(&self) -> Option<String> {
        let mut params: Value = json::read(self.params.as_bytes())?;
        params.sort_all_objects();
        Some(params.to_string())
    }
}

/// Reads the parameters in a text of Params: an object; an empty list, which PHP writes for an empty object; or nothing.
///
/// # Errors
/// Returns 100002 for anything else.
pub fn read_params(params: &str) -> Result<Parameters<'static>, Fault> {
    let mut parameters = Parameters::default();
    if params.starts_with('{') {
        let fields: Fields = json::read(params.as_bytes()).ok_or(MALFORMED)?;
        for (name, value) in fields {
            let value = json::raw(&value).ok_or(MALFORMED)?;
            parameters.push(name.into(), value);
        }
        return Ok(parameters);
    }
    match compact(params).as_str() {
        "[]" | "null" | r#""""# => Ok(parameters),
        _ => Err(MALFORMED),
    }
}

/// The text of a field; `None` if it is absent or empty.
fn text(fields: &Fields, name: &str) -> Result<Option<String>, Fault> {
    let Some(value) = fields.get(name) else {
        return Ok(None);
    };
    match json::raw(value).ok_or(MALFORMED)? {
        Raw::Text(text) => Ok(Some(text.into_owned()).filter(|text| !text.is_empty())),
        Raw::Absent => Ok(None),
        Raw::Decimal(_) | Raw::Bool(_) | Raw::Other => Err(MALFORMED),
    }
}

/// Drops the white space of a JSON text that stands outside its strings.
fn compact(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let is_kept = |c: &char| {
        match c {
            _ if is_escaped => is_escaped = false,
            '"' => in_string = !in_string,
            '\\' => is_escaped = in_string,
            _ => {}
        }
        in_string || !matches!(c, ' ' | '\t' | '\n' | '\r')
    };
    json.chars().filter(is_kept).collect()
}

#[cfg(test)]
mod tests;
