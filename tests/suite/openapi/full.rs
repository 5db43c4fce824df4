//! `sign = 'full'`: the Token covers the whole request, so that no change goes unnoticed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::client::{
    ENVELOPE_SIGNER, FULL_SIGNER, PARTNERS, PartnerClient, fault, hmac_sha1, next_nonce, success,
    urlencode,
};
use crate::test_gateway::TestGateway;

const RECORDS: &str = "user.user-points-records";

#[tokio::test(flavor = "multi_thread")]
async fn changed_params_are_refused_if_they_are_signed() {
    let gateway = TestGateway::with_partners().await;
    let changes: [fn(&mut Value); 6] = [
        |it| it["Params"]["user_id"] = json!(6),
        |it| it["Params"]["user_id"] = json!("5"),
        |it| it["Params"]["page"] = json!(1),
        |it| it["Params"] = json!([]),
        |it| it["Action"] = "communal.user.identity".into(),
        |it| it["Nonce"] = "another".into(),
    ];
    for change in changes {
        let mut changed = gateway.envelope(&FULL_SIGNER, RECORDS, &json!({"user_id": 5}));
        change(&mut changed);
        let answer = gateway.post_envelope(changed.to_string()).await;
        assert_eq!(answer, fault(110004, "验签失败"), "{changed}");
    }
    // A partner without `sign = 'full'` signs neither Action nor Params, as the platform's own clients.
    let mut changed = gateway.envelope(&ENVELOPE_SIGNER, RECORDS, &json!({"user_id": 6}));
    changed["Params"]["user_id"] = json!(5);
    let (_, answer) = gateway.post_envelope(changed.to_string()).await;
    assert!(answer.contains(r#""code":0,"#), "{answer}");
}

/// If a name occurs twice, the gateway reads the value whose signature it verified.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_name_cannot_replace_a_signed_value() {
    let gateway = TestGateway::with_partners().await;
    let identity = "communal.user.identity";
    let params = json!({"type": 4, "user_id": 5});
    for (from, to) in [
        (r#""user_id":5"#, r#""user_id":6,"user_id":5"#),
        (
            r#""Params":{"#,
            r#""Params":{"type":4,"user_id":6},"Params":{"#,
        ),
        (
            r#"{"Action":"communal.user.identity""#,
            r#"{"Action":"user.points-add","Action":"communal.user.identity""#,
        ),
    ] {
        let envelope = gateway
            .envelope(&FULL_SIGNER, identity, &params)
            .to_string();
        let twice = envelope.replacen(from, to, 1);
        assert_ne!(twice, envelope);
        let (_, answer) = gateway.post_envelope(twice).await;
        assert_eq!(
            answer,
            success(r#"{"user_info":{"id":5,"user_points":100}}"#).1
        );

        let (first, last) = (to.split(from).next().unwrap_or_default(), from);
        if from.starts_with(r#""user_id"#) {
            let envelope = gateway
                .envelope(&FULL_SIGNER, identity, &params)
                .to_string();
            let twice =
                envelope.replacen(last, &format!("{last},{}", first.trim_end_matches(',')), 1);
            let answer = gateway.post_envelope(twice).await;
            assert_eq!(answer, fault(110004, "验签失败"));
        }
    }
}

/// An envelope of a partner that signs one text of Params and sends another.
fn signed_as(gateway: &TestGateway, action: &str, signed: &str, sent: &str) -> String {
    with_nonce(gateway, &next_nonce(), action, signed, sent)
}

/// The same with this nonce, a number.
fn with_nonce(
    gateway: &TestGateway,
    nonce: &str,
    action: &str,
    signed: &str,
    sent: &str,
) -> String {
    let at = gateway.seconds();
    let PartnerClient {
        open_id,
        grant_code,
        secret,
        ..
    } = FULL_SIGNER;
    let text = format!(
        "Action={action}&GrantCode={grant_code}&Nonce={nonce}&OpenId={open_id}&Params={}&Timestamp={at}",
        urlencode(signed)
    );
    let token = urlencode(&hmac_sha1(secret, &text));
    format!(
        r#"{{"OpenId":"{open_id}","GrantCode":"{grant_code}","Timestamp":{at},"Nonce":{nonce},"Token":"{token}","Action":"{action}","Params":{sent}}}"#
    )
}

/// A partner signs the JSON that its own library writes, and need not know how ours would write it.
#[tokio::test(flavor = "multi_thread")]
async fn params_are_signed_as_they_are_sent() {
    let gateway = TestGateway::with_partners().await;
    let known = r#"{"user_info":{"id":5,"user_points":100}}"#;
    for (signed, sent) in [
        (r#"{"type":4,"user_id":5,"note":1e2}"#, None),
        (r#"{"user_id":5,"type":4,"note":1.10}"#, None),
        (
            r#"{"user_id":5,"type":4,"note":20160316123456789012345}"#,
            None,
        ),
        (r#"{"user_id":5,"type":4,"note":"a\/b\u4e00\t"}"#, None),
        (r#"{"user_id":5e0,"type":"4","a":{"z":1,"b":[1.50]}}"#, None),
        (
            r#"{"user_id":5,"note":"a: \" b","type":4}"#,
            Some("{ \"user_id\" : 5,\r\n\t\"note\": \"a: \\\" b\",\n \"type\":4 }"),
        ),
        // Written again by a library that sorts, as before.
        (
            r#"{"note":100.0,"type":4,"user_id":5}"#,
            Some(r#"{"user_id":5,"type":4,"note":1e2}"#),
        ),
        (
            r#"{"note":"a/b一","type":4,"user_id":5}"#,
            Some(r#"{"user_id":5,"type":4,"note":"a\/b\u4e00"}"#),
        ),
    ] {
        let sent = sent.unwrap_or(signed);
        let envelope = signed_as(&gateway, "communal.user.identity", signed, sent);
        let answer = gateway.post_envelope(envelope.clone()).await;
        assert_eq!(answer, success(known), "{envelope}");
    }
    for (signed, sent) in [
        (r#"{"user_id":5,"type":4}"#, r#"{"type":4,"user_id":5}"#),
        (r#"{"type":4,"user_id":5 }"#, r#"{"type":4,"user_id":5}"#),
        (
            r#"{"note":"ab","type":4,"user_id":5}"#,
            r#"{"note":"a b","type":4,"user_id":5}"#,
        ),
    ] {
        let envelope = signed_as(&gateway, "communal.user.identity", signed, sent);
        let answer = gateway.post_envelope(envelope.clone()).await;
        assert_eq!(answer, fault(110004, "验签失败"), "{envelope}");
    }
}

/// Numbers of which a library writes the same text again are not the same references: the Action reads the text that was signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_read_as_it_was_signed() {
    let config = PARTNERS.replace(
        "allow = ['user.user-points-records', 'communal.user.identity']",
        "allow = ['user.points-add']",
    );
    let gateway = TestGateway::with_config(&config).await;
    let params = |biz_id: &str| format!(r#"{{"balance":7,"bizId":{biz_id},"customerId":5}}"#);
    let add = async |signed: &str, sent: &str| {
        let envelope = signed_as(&gateway, "user.points-add", &params(signed), &params(sent));
        gateway.post_envelope(envelope).await
    };
    let malformed = fault(100002, "参数格式不对");
    for long in ["20160316123456789012345", "20160316123456789012346"] {
        assert_eq!(add(long, long).await, success("[]"), "{long}");
        let rounded: Value = serde_json::from_str(long).unwrap();
        assert_eq!(add(&rounded.to_string(), long).await, malformed);
    }
    let (_, rows) = gateway.call("app.yohocoin.lists", "uid=5").await;
    assert!(
        rows.contains(r#""key":"20160316123456789012345""#),
        "{rows}"
    );
    assert!(
        rows.contains(r#""key":"20160316123456789012346""#),
        "{rows}"
    );
    assert!(rows.contains(r#""total":2"#), "{rows}");
}

/// The digits of a number count, however many there are.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_number_is_a_nonce() {
    let gateway = TestGateway::with_partners().await;
    let params = r#"{"type":4,"user_id":5}"#;
    for nonce in ["20160316123456789012345", "20160316123456789012346"] {
        let envelope = with_nonce(&gateway, nonce, "communal.user.identity", params, params);
        let (_, answer) = gateway.post_envelope(envelope.clone()).await;
        assert!(answer.contains(r#""code":0,"#), "{nonce}: {answer}");
        let again = gateway.post_envelope(envelope).await;
        assert_eq!(again, fault(110005, "Nonce已被使用"), "{nonce}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_flipped_bit_is_refused() {
    let gateway = TestGateway::with_partners().await;
    let known = gateway.envelope(
        &FULL_SIGNER,
        RECORDS,
        &json!({"user_id": 5, "note": "一 & b", "page": 1}),
    );
    let body = known.to_string().into_bytes();
    let check = |body: Vec<u8>| {
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(gateway.post_envelope(body))
        })
    };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    // The digits of an escape in the Token have two cases, and white space may stand around it: those bytes have other spellings.
    let escape = |at: usize| body[at.saturating_sub(2)..=at].contains(&b'%');
    let flips = (0..body.len(), 1..=255_u8);
    let flips = flips.prop_filter("a spelling", move |(at, _)| !escape(*at));
    let done = runner.run(&flips, |(at, mask)| {
        let mut flipped = body.clone();
        flipped[at] ^= mask;
        let (_, answer) = check(flipped);
        prop_assert!(
            answer.contains(r#""status":false"#),
            "{at} {mask}: {answer}"
        );
        Ok(())
    });
    done.unwrap();
    let (_, answer) = gateway.post_envelope(body).await;
    assert!(
        answer.contains(r#""code":0,"#),
        "no nonce was used: {answer}"
    );
}
