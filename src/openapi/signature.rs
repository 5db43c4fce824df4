//! The Token of an envelope, by protocols.md part 2.

use serde_json::Value;

use crate::config::Secret;
use crate::sign::{form_encode, hmac_sha1_base64};

/// The spelling of an envelope's field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `OpenId`, the document's spelling.
    Pascal,
    /// `openId`, the spelling of the platform's newer clients.
    Camel,
}

impl Spelling {
    /// The names of the text fields: OpenId, GrantCode, Timestamp, Nonce, Token, Action.
    pub fn names(self) -> [&'static str; 6] {
        match self {
            Spelling::Pascal => [
                "OpenId",
                "GrantCode",
                "Timestamp",
                "Nonce",
                "Token",
                "Action",
            ],
            Spelling::Camel => [
                "openId",
                "grantCode",
                "timestamp",
                "nonce",
                "token",
                "action",
            ],
        }
    }

    /// The name of the field with the Action's parameters.
    pub fn params(self) -> &'static str {
        match self {
            Spelling::Pascal => "Params",
            Spelling::Camel => "params",
        }
    }

    /// The name of the timestamp field.
    pub fn timestamp(self) -> &'static str {
        self.names()[2]
    }
}

/// The values that a Token covers.
#[derive(Clone, Copy, Debug)]
pub struct SignedEnvelope<'a> {
    /// The spelling of the names.
    pub spelling: Spelling,
    /// The OpenId of the partner.
    pub open_id: &'a str,
    /// The partner's GrantCode.
    pub grant_code: &'a str,
    /// The Timestamp, exactly as in the envelope (s since 1970 UTC).
    pub timestamp: &'a str,
    /// The single-use Nonce, exactly as in the envelope.
    pub nonce: &'a str,
    /// Action and Params, for a partner with `sign = "full"`.
    pub call: Option<(&'a str, &'a Value)>,
}

impl SignedEnvelope<'_> {
    /// Computes the Token before its form encoding: Base64 of the HMAC-SHA1 of the signed text.
    pub fn token(&self, secret: &Secret) -> String {
        hmac_sha1_base64(secret.reveal(), &self.text())
    }

    /// Writes the signed text: `name=value` in ascending order of names, values form-URL-encoded, joined by `&`. Params are compact
    /// JSON with sorted keys.
    pub(super) fn text(&self) -> String {
        let [open_id, grant_code, timestamp, nonce, _, action] = self.spelling.names();
        let mut pairs = vec![
            (open_id, self.open_id.to_owned()),
            (grant_code, self.grant_code.to_owned()),
            (timestamp, self.timestamp.to_owned()),
            (nonce, self.nonce.to_owned()),
        ];
        if let Some((action_name, params)) = self.call {
            let mut params = params.clone();
            params.sort_all_objects();
            pairs.push((action, action_name.to_owned()));
            pairs.push((self.spelling.params(), params.to_string()));
        }
        pairs.sort_unstable();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", form_encode(value)))
            .collect();
        pairs.join("&")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FAKE: SignedEnvelope<'_> = SignedEnvelope {
        spelling: Spelling::Camel,
        open_id: "fake-open-id-for-test-only-0001",
        grant_code: "fake-grant-code-0001",
        timestamp: "1712563200",
        nonce: "24680",
        call: None,
    };

    /// The vector of protocols.md part 2.
    #[test]
    fn the_vector() {
        let token = FAKE.token(&Secret::new("fake-open-key-for-test-only-0001"));
        assert_eq!(form_encode(&token), "ySypL4SRFMmfSrCqOiFE01LK3ks%3D");
    }

    #[test]
    fn what_is_signed() {
        assert_eq!(
            FAKE.text(),
            "grantCode=fake-grant-code-0001&nonce=24680&openId=fake-open-id-for-test-only-0001&timestamp=1712563200"
        );
        let params = json!({"user_id": 5, "a": {"z": "一 &", "b": []}});
        let full = SignedEnvelope {
            spelling: Spelling::Pascal,
            call: Some(("user.x", &params)),
            ..FAKE
        };
        assert_eq!(
            full.text(),
            "Action=user.x&GrantCode=fake-grant-code-0001&Nonce=24680&OpenId=fake-open-id-for-test-only-0001\
             &Params=%7B%22a%22%3A%7B%22b%22%3A%5B%5D%2C%22z%22%3A%22%E4%B8%80+%26%22%7D%2C%22user_id%22%3A5%7D\
             &Timestamp=1712563200"
        );
    }
}
