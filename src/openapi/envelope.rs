//! The envelope of a request: `OpenId, GrantCode, Timestamp, Nonce, Token, Action, Params`, or the same in lower camel.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::signature::{Signed, Spelling};
use super::{Fault, MALFORMED, Parameters, missing};
use crate::config::Sign;
use crate::gateway::parameters::Raw;

/// An envelope that holds all that it must, and nothing yet of which it is known whether it is true.
#[derive(Debug)]
pub struct Envelope {
    pub open_id: String,
    pub grant_code: String,
    pub nonce: String,
    pub token: String,
    pub action: String,
    pub parameters: Parameters,
    spelling: Spelling,
    /// As it was sent, which is how it was signed.
    timestamp: String,
    seconds: i64,
    params: Value,
}

impl Envelope {
    /// Reads a body. Of names that are repeated in one object the last one counts, for the signature as for the method.
    ///
    /// # Errors
    /// 100002 where it is not such an envelope, 100001 where a field is not there.
    pub fn read(body: &[u8]) -> Result<Envelope, Fault> {
        let mut fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| MALFORMED)?;
        // Either spelling of all names, not a mixture: what is signed must be what is read.
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
            text.ok_or_else(|| missing(name))
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
            true => Err(missing(spelling.params())),
            false => Ok(envelope),
        }
    }

    /// The time that it names (ms).
    pub fn at(&self) -> i64 {
        self.seconds.saturating_mul(1000)
    }

    /// What its Token should cover.
    pub fn signed(&self, sign: Sign) -> Signed<'_> {
        Signed {
            spelling: self.spelling,
            open_id: &self.open_id,
            grant_code: &self.grant_code,
            timestamp: &self.timestamp,
            nonce: &self.nonce,
            call: (sign == Sign::Full).then_some((&self.action, &self.params)),
        }
    }
}
