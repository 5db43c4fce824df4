//! The Token of an envelope, by protocols.md part 2.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::config::Secret;
use crate::sign::{HmacSha1, form_encode};

/// The spelling of an envelope's field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `OpenId`, the document's spelling.
    Pascal,
    /// `openId`, the spelling of the platform's newer clients.
    Camel,
}

impl Spelling {
    /// The names of the text fields: OpenId, GrantCode, Timestamp, Nonce, Token.
    pub fn names(self) -> [&'static str; 5] {
        match self {
            Spelling::Pascal => ["OpenId", "GrantCode", "Timestamp", "Nonce", "Token"],
            Spelling::Camel => ["openId", "grantCode", "timestamp", "nonce", "token"],
        }
    }

    /// The possible names of the field with the Action, of which the first one present counts. What is known of the newer clients does not
    /// tell how they spell this one.
    pub fn actions(self) -> &'static [&'static str] {
        match self {
            Spelling::Pascal => &["Action"],
            Spelling::Camel => &["action", "Action"],
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
    /// The name of the Action's field, the Action and Params, for a partner with `sign = "full"`.
    pub call: Option<(&'static str, &'a str, &'a str)>,
}

impl SignedEnvelope<'_> {
    /// Signs the text. The Token is the result's Base64, form-URL-encoded.
    pub fn sign(&self, secret: &Secret) -> HmacSha1 {
        HmacSha1::of(secret.reveal(), &self.text())
    }

    /// Writes the signed text: `name=value` in ascending order of names, values form-URL-encoded, joined by `&`.
    pub(super) fn text(&self) -> String {
        let [open_id, grant_code, timestamp, nonce, _] = self.spelling.names();
        let mut pairs = vec![
            (open_id, self.open_id.to_owned()),
            (grant_code, self.grant_code.to_owned()),
            (timestamp, self.timestamp.to_owned()),
            (nonce, self.nonce.to_owned()),
        ];
        if let Some((name, action, params)) = self.call {
            pairs.push((name, action.to_owned()));
            pairs.push((self.spelling.params(), params.to_owned()));
        }
        pairs.sort_unstable();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", form_encode(value)))
            .collect();
        pairs.join("&")
    }
}

/// The most encodings around the Base64 of a Token: the protocol's own, and one more by a client that encodes a form again.
const MAX_ENCODINGS: usize = 2;

/// Reads a Token in each form that a client may send: as it is, form-URL-encoded once or twice, with any characters left unencoded and
/// hexadecimal digits in either case. Base64 holds no `%`, so no decoding changes the meaning. `None` if it cannot be a Token.
pub fn read_token(token: &str) -> Option<HmacSha1> {
    let mut token = Cow::Borrowed(token);
    for _ in 0..MAX_ENCODINGS {
        if !token.contains('%') {
            break;
        }
        let decoded = percent_decode_str(&token).decode_utf8().ok()?;
        token = Cow::Owned(decoded.into_owned());
    }
    HmacSha1::from_base64(&token)
}

#[cfg(test)]
mod tests {
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
        let signed = FAKE.sign(&Secret::new("fake-open-key-for-test-only-0001"));
        let token = form_encode(&signed.base64());
        assert_eq!(token, "ySypL4SRFMmfSrCqOiFE01LK3ks%3D");
        for token in [&token, "ySypL4SRFMmfSrCqOiFE01LK3ks%253d"] {
            assert!(read_token(token).is_some_and(|it| it.is(&signed)));
        }
        for token in [
            "ySypL4SRFMmfSrCqOiFE01LK3ks%25253D",
            "ySypL4SRFMmfSrCqOiFE01LK3ks%",
            "%FF",
        ] {
            assert!(read_token(token).is_none(), "{token}");
        }
    }

    #[test]
    fn what_is_signed() {
        assert_eq!(
            FAKE.text(),
            "grantCode=fake-grant-code-0001&nonce=24680&openId=fake-open-id-for-test-only-0001&timestamp=1712563200"
        );
        let params = r#"{"a":{"b":[],"z":"一 &"},"user_id":5}"#;
        let full = SignedEnvelope {
            spelling: Spelling::Pascal,
            call: Some(("Action", "user.x", params)),
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
