//! What a Token covers is what an Action reads.

use proptest::prelude::*;

use super::*;

/// Fields as JSON texts, of which any number may stand in an envelope, in any order and repeatedly.
const FIELDS: [&str; 24] = [
    r#""OpenId":"a""#,
    r#""OpenId":"b""#,
    r#""openId":"a""#,
    r#""GrantCode":"g""#,
    r#""GrantCode":"g&Nonce=1""#,
    r#""Timestamp":"1""#,
    r#""Timestamp":1"#,
    r#""Timestamp":" 1""#,
    r#""Nonce":"1""#,
    r#""Nonce":1"#,
    r#""Nonce":1.0"#,
    r#""Nonce":"1&OpenId=a""#,
    r#""Token":"t""#,
    r#""Action":"x""#,
    r#""Action":"x&GrantCode=g""#,
    r#""action":"y""#,
    r#""Params":{}"#,
    r#""Params":[]"#,
    r#""Params":{"user_id":5}"#,
    r#""Params":{"user_id":"5"}"#,
    r#""Params":{"user_id":6,"user_id":5}"#,
    r#""Params":{"user_id":5,"type":"in"}"#,
    r#""Params":{"type":"in","user_id":5}"#,
    r#""Params":{"user_id":5.0}"#,
];

/// An envelope that is complete, with more fields among its own.
fn bodies() -> impl Strategy<Value = String> {
    let more = prop::collection::vec(prop::sample::select(FIELDS.to_vec()), 0..4);
    more.prop_flat_map(|more| {
        let whole = [
            FIELDS[0], FIELDS[3], FIELDS[5], FIELDS[8], FIELDS[12], FIELDS[13], FIELDS[18],
        ];
        let fields: Vec<&str> = whole.into_iter().chain(more).collect();
        Just(fields).prop_shuffle()
    })
    .prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_same_text_gives_the_same_reading(first in bodies(), second in bodies()) {
        let read = |body: &str| Envelope::read(body.as_bytes()).ok();
        if let (Some(a), Some(b)) = (read(&first), read(&second)) {
            let texts = |sign| (a.signed(sign).text(), b.signed(sign).text());
            let (text, other) = texts(SignedFields::Envelope);
            let nonce = |it: &Envelope| (it.open_id.clone(), it.grant_code.clone(), it.at(), it.nonce.clone());
            if text == other {
                prop_assert_eq!(nonce(&a), nonce(&b), "{} {}", first, second);
            }
            let (text, other) = texts(SignedFields::Full);
            if text == other {
                prop_assert_eq!(nonce(&a), nonce(&b), "{} {}", first, second);
                prop_assert_eq!(&a.action, &b.action, "{} {}", first, second);
                let read = |it: &Envelope| (it.parameters.get("user_id").cloned(), it.parameters.get("type").cloned());
                prop_assert_eq!(read(&a), read(&b), "{} {}", first, second);
            }
        }
    }
}
