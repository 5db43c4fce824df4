//! `sign = 'full'`: the Token covers the whole request, so that no change goes unnoticed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::client::{ENVELOPE_SIGNER, FULL_SIGNER, fault, success};
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
        ..ProptestConfig::default()
    });
    let flips = (0..body.len(), 1..=255_u8);
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
