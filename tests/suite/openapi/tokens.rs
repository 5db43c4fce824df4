//! The Token of an envelope, in each encoding that clients give it.

use serde_json::json;

use super::client::{ENVELOPE_SIGNER, FULL_SIGNER, success, urlencode};
use crate::test_gateway::TestGateway;

/// A Token as clients of several languages write it, from its Base64.
type Spelling = fn(&str) -> String;

/// The same Token in the spelling of each client; 40 of each, so that `+` and `/` stand in many.
#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_a_token_is_accepted() {
    let gateway = TestGateway::with_partners().await;
    let spellings: [(&str, Spelling); 11] = [
        ("PHP, Java", urlencode),
        ("Python's quote leaves /", |it| {
            urlencode(it).replace("%2F", "/")
        }),
        (".NET writes lower-case hexadecimal", |it| {
            urlencode(it)
                .replace("%2B", "%2b")
                .replace("%2F", "%2f")
                .replace("%3D", "%3d")
        }),
        ("not encoded", str::to_owned),
        ("encoded twice", |it| urlencode(&urlencode(it))),
        ("decoded once too often", |it| it.replace('+', " ")),
        ("without padding", |it| it.trim_end_matches('=').to_owned()),
        ("URL-safe", |it| it.replace('+', "-").replace('/', "_")),
        ("URL-safe without padding", |it| {
            it.replace('+', "-")
                .replace('/', "_")
                .trim_end_matches('=')
                .to_owned()
        }),
        ("with white space around it", |it| format!("\n{it} \r\n")),
        ("with encoded white space", |it| {
            format!("{}%0A", urlencode(it))
        }),
    ];
    let params = json!({"type": 4, "user_id": 5});
    let known = r#"{"user_info":{"id":5,"user_points":100}}"#;
    for partner in [ENVELOPE_SIGNER, FULL_SIGNER] {
        for (name, spell) in spellings {
            for _ in 0..40 {
                let mut envelope = gateway.envelope(&partner, "communal.user.identity", &params);
                let token = envelope["Token"].as_str().unwrap();
                let token = token
                    .replace("%2B", "+")
                    .replace("%2F", "/")
                    .replace("%3D", "=");
                envelope["Token"] = spell(&token).into();
                let answer = gateway.post_envelope(envelope.to_string()).await;
                assert_eq!(answer, success(known), "{name}: {envelope}");
            }
        }
    }
}
