//! What a Token covers is what an Action reads.

use proptest::prelude::*;

use super::*;

#[test]
fn the_name_of_the_action_is_signed_as_it_stands() {
    let rest = r#""openId":"o","grantCode":"g","timestamp":1,"nonce":2,"token":"t","params":{}"#;
    for (names, action, signed) in [
        (r#""action":"x""#, "x", "action=x&grantCode=g&"),
        (r#""Action":"x""#, "x", "Action=x&grantCode=g&"),
        (r#""Action":"y","action":"x""#, "x", "action=x&grantCode=g&"),
    ] {
        let envelope = Envelope::read(format!("{{{names},{rest}}}").as_bytes()).unwrap();
        assert_eq!(envelope.action, action);
        let text = envelope.signed(Some("{}")).text();
        assert!(text.starts_with(signed), "{text}");
    }
    let error = Envelope::read(format!("{{{rest}}}").as_bytes()).unwrap_err();
    assert_eq!(error, missing_parameter("action"));
}

/// Fields as JSON texts, of which any number may stand in an envelope, in any order and repeatedly.
const FIELDS: [&str; 33] = [
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
    r#""Params":{"user_id":5e0}"#,
    r#""Params": { "user_id" : 5 } "#,
    r#""Params":{"user_\u0069d":5}"#,
    r#""Params":{"user_id":20160316123456789012345}"#,
    r#""Params":{"user_id":20160316123456789012346}"#,
    r#""Params":{"user_id":2.0160316123456790e22}"#,
    r#""Params":{"user_id":"a b"}"#,
    r#""Params":{"user_id":"a\u0020b"}"#,
    r#""Params":{"user_id":"a\" b"}"#,
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

/// What an Action reads from the text that its Token covers.
fn reading(params: &str) -> [Option<Raw<'static>>; 2] {
    let parameters = read_params(params).unwrap();
    ["user_id", "type"].map(|name| parameters.get(name).cloned())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_same_text_gives_the_same_reading(first in bodies(), second in bodies()) {
        let (Ok(a), Ok(b)) = (Envelope::read(first.as_bytes()), Envelope::read(second.as_bytes())) else {
            return Ok(());
        };
        let nonce = |it: &Envelope| (it.open_id.clone(), it.grant_code.clone(), it.at(), it.nonce.clone());
        if a.signed(None).text() == b.signed(None).text() {
            prop_assert_eq!(nonce(&a), nonce(&b), "{} {}", first, second);
        }
        let texts = |it: &Envelope| [Some(it.sent_params()), it.sorted_params()];
        let theirs = texts(&b);
        for ours in texts(&a).iter().flatten() {
            for theirs in theirs.iter().flatten() {
                if a.signed(Some(ours)).text() != b.signed(Some(theirs)).text() {
                    continue;
                }
                prop_assert_eq!(nonce(&a), nonce(&b), "{} {}", first, second);
                prop_assert_eq!(&a.action, &b.action, "{} {}", first, second);
                prop_assert_eq!(reading(ours), reading(theirs), "{} {}", first, second);
            }
        }
    }

    /// Dropping white space changes neither a name nor a value.
    #[test]
    fn compact_params_mean_the_same(name in r#"[a "\\\\u0020\t]{0,6}"#, spaces in "[ \t\r\n]{0,3}", text in "[a\"\\\\ b]{0,6}") {
        let (name, text) = (Value::from(name), Value::from(text));
        let params = format!("{{{spaces}{name}{spaces}:{spaces}{text}{spaces},{spaces}\"b\":{spaces}[{spaces}1 ]{spaces}}}");
        let compacted = compact(&params);
        let read = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        prop_assert_eq!(read(&compacted), read(&params));
        prop_assert_eq!(compacted, format!("{{{name}:{text},\"b\":[1]}}"));
    }
}
