//! A partner's client, written from protocols.md part 2. It shares no code with the gateway.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::test_gateway::{Answer, TestGateway};

/// Two partners: p1 signs the envelope and may call everything; p2 signs Action and Params too and may only read.
pub const PARTNERS: &str = "
[[openapi.partners]]
open_id = 'p1'
grant_code = 'g1'
secret = 'secret one'
allow = ['user.user-points-records', 'user.points-add', 'communal.user.identity']

[[openapi.partners]]
open_id = 'p2'
grant_code = 'g2'
secret = 'secret two'
allow = ['user.user-points-records', 'communal.user.identity']
sign = 'full'
";

/// The credentials of a partner.
#[derive(Clone, Copy)]
pub struct PartnerClient {
    pub open_id: &'static str,
    pub grant_code: &'static str,
    pub secret: &'static str,
    pub full: bool,
}

pub const ENVELOPE_SIGNER: PartnerClient = PartnerClient {
    open_id: "p1",
    grant_code: "g1",
    secret: "secret one",
    full: false,
};

pub const FULL_SIGNER: PartnerClient = PartnerClient {
    open_id: "p2",
    grant_code: "g2",
    secret: "secret two",
    full: true,
};

impl PartnerClient {
    /// An envelope for the Unix time `at` (seconds), with its Token.
    pub fn envelope(&self, at: i64, nonce: &str, action: &str, params: &Value) -> Value {
        let mut envelope = json!({
            "OpenId": self.open_id,
            "GrantCode": self.grant_code,
            "Timestamp": at.to_string(),
            "Nonce": nonce,
            "Action": action,
            "Params": params,
        });
        envelope["Token"] = self.token(&envelope).into();
        envelope
    }

    /// The Token for the fields of an envelope in either spelling, PascalCase or camelCase.
    pub fn token(&self, envelope: &Value) -> String {
        let mut signed = vec!["OpenId", "GrantCode", "Timestamp", "Nonce"];
        if self.full {
            signed.extend(["Action", "Params"]);
        }
        let mut lines = BTreeMap::new();
        for (name, value) in envelope.as_object().unwrap() {
            let pascal = name[..1].to_uppercase() + &name[1..];
            if signed.contains(&pascal.as_str()) {
                let value = value.as_str().map_or(value.to_string(), str::to_owned);
                lines.insert(name.clone(), urlencode(&value));
            }
        }
        let lines: Vec<String> = lines.iter().map(|(n, v)| format!("{n}={v}")).collect();
        urlencode(&hmac_sha1(self.secret, &lines.join("&")))
    }
}

/// Base64 of an HMAC-SHA1.
pub fn hmac_sha1(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// As PHP's `urlencode`, for texts without `*` and `~`.
pub fn urlencode(text: &str) -> String {
    let one = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'-' | b'_' | b'.' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// A nonce that is unique in this process.
pub fn next_nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed).to_string()
}

/// The answer to a successful Action.
pub fn success(data: &str) -> Answer {
    let body = format!(r#"{{"status":true,"code":0,"message":"success","data":{data}}}"#);
    (200, body)
}

/// The answer to a refused envelope (`status` is false).
pub fn fault(code: i64, message: &str) -> Answer {
    let body = format!(r#"{{"status":false,"code":{code},"message":"{message}"}}"#);
    (200, body)
}

/// The answer to an Action that the business rules decline (`status` is true).
pub fn declined(code: i64, message: &str) -> Answer {
    let body = format!(r#"{{"status":true,"code":{code},"message":"{message}"}}"#);
    (200, body)
}

impl TestGateway {
    /// Starts a gateway with [`PARTNERS`] and a user 5 who has 100 coins.
    pub async fn with_partners() -> TestGateway {
        let gateway = TestGateway::with_config(PARTNERS).await;
        let parameters = "uid=5&num=100&type=18&referenceId=first";
        let (_, answer) = gateway.call("app.yohocoin.get", parameters).await;
        assert!(answer.contains(r#""code":200"#), "{answer}");
        gateway
    }

    /// The clock's time, in seconds since the epoch.
    pub fn seconds(&self) -> i64 {
        self.now() / 1000
    }

    /// A valid envelope for the clock's time, with a new nonce.
    pub fn envelope(&self, partner: &PartnerClient, action: &str, params: &Value) -> Value {
        partner.envelope(self.seconds(), &next_nonce(), action, params)
    }

    /// Calls an Action with a valid envelope.
    pub async fn call_action(
        &self,
        partner: &PartnerClient,
        action: &str,
        params: &Value,
    ) -> Answer {
        let envelope = self.envelope(partner, action, params);
        self.post_envelope(envelope.to_string()).await
    }

    /// Calls an Action as p1 with Params given as JSON text.
    pub async fn call_action_text(&self, action: &str, params: &str) -> Answer {
        let params: Value = serde_json::from_str(params).unwrap();
        self.call_action(&ENVELOPE_SIGNER, action, &params).await
    }
}
