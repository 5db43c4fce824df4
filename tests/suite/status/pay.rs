//! `status.pay_notify`: events of Ping++, signed with a key that the test generates.

use rsa::{Generate, PrivateKey};
use serde_json::{Value, json};

use super::provider::{Provider, charge, event, paid, setting, signature};
use crate::broker::test_broker::wait_for_metric;
use crate::program::{CONFIG, Client, Program, ProgramDir, text};
use crate::server::gzip::gzip;
use crate::test_gateway::{Answer, TestGateway, fault, sealed};

fn with_status(status: u16, (_, body): Answer) -> Answer {
    (status, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_stored_once() {
    let provider = Provider::with("").await;
    assert_eq!(provider.notify(&event()).await, paid());
    assert_eq!(provider.notify(&event()).await, paid(), "the same event");
    let mut other = event();
    other["id"] = "evt_other".into();
    assert_eq!(
        provider.notify(&other).await,
        paid(),
        "another event of the same charge"
    );
    let kept = provider.payments().await;
    assert_eq!(kept.len(), 1);
    let payment = entity::payment::Model {
        event_id: "evt_9LGm1cFqqx6OrD5zD4rI6YuG".into(),
        charge_id: Some("ch_yzLiP4fHiDiTeTyLCKOC8urD".into()),
        kind: "charge.succeeded".into(),
        object: Some("ch_yzLiP4fHiDiTeTyLCKOC8urD".into()),
        order_no: Some("wx20180415095200T639136".into()),
        amount: Some(100),
        amount_settle: Some(1001),
        currency: Some("cny".into()),
        channel: Some("wx".into()),
        transaction_no: Some("2016031881679598".into()),
        user_key: None,
        created: Some(1458280534),
        time_paid: Some(1458280536),
        at: provider.gateway.now(),
        subject: "ch_yzLiP4fHiDiTeTyLCKOC8urD".into(),
        subject_seq: 0,
    };
    assert_eq!(kept[0], payment);
    // The protocol's example has the type in another field.
    let mut elsewhere = event();
    elsewhere.as_object_mut().unwrap().remove("type");
    elsewhere["payment"] =
        json!({"id": "evt_9LGm1cFqqx6OrD5zD4rI6YuG", "type": "charge.succeeded"});
    elsewhere["id"] = "evt_second".into();
    elsewhere["data"]["object"]["id"] = "ch_second".into();
    let (status, _) = provider.notify(&elsewhere).await;
    assert_eq!((status, provider.payments().await.len()), (200, 2));
    // Events of other types are stored and acknowledged.
    let refund = json!({"id": "evt_refund", "type": "refund.succeeded", "data": {"object": {"id": "re_1", "order_no": "o", "amount": 5}}});
    assert_eq!(
        provider.notify(&refund).await,
        sealed(200, r#"{"id":"re_1","order_no":"o","paid":false}"#, "ok")
    );
    assert_eq!(provider.payments().await.len(), 3);
    assert_eq!(
        provider.gateway.audit().await.entries,
        0,
        "nothing is awarded by default"
    );
}

/// The signature covers the bytes as sent, a byte order mark included; half a surrogate pair is no reason to lose a payment.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_and_half_a_pair_lose_no_payment() {
    let provider = Provider::with("").await;
    let mut event = event();
    for (number, (mark, subject)) in [
        ("", r"薄荷\ud83d"),
        ("\u{feff}", "薄荷"),
        ("\u{feff}", r"\ude00薄荷"),
    ]
    .into_iter()
    .enumerate()
    {
        event["id"] = format!("evt_{number}").into();
        event["data"]["object"]["id"] = format!("ch_{number}").into();
        let json = event.to_string().replace("薄荷科技", subject);
        let body = format!("{mark}{json}");
        let signed = signature(&provider.key, body.as_bytes());
        let (status, answer) = provider.send(body.as_bytes(), Some(&signed)).await;
        assert_eq!(status, 200, "{subject}: {answer}");
        assert_eq!(provider.payments().await.len(), number + 1, "{subject}");
        if !mark.is_empty() {
            let (status, _) = provider.send(json.as_bytes(), Some(&signed)).await;
            assert_eq!(status, 403, "without the mark that was signed");
        }
    }
}

/// The signature covers the event, not what a proxy compressed it to.
#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_event_is_verified_as_the_provider_signed_it() {
    let provider = Provider::with("").await;
    let event = event().to_string();
    let compressed = gzip(event.as_bytes());
    let url = provider.gateway.url("/gateway?method=status.pay_notify");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (signed, status) in [(&compressed[..], 403), (event.as_bytes(), 200)] {
        let request = client.post(&url).header("content-encoding", "gzip");
        let request = request.header("X-Pingplusplus-Signature", signature(&provider.key, signed));
        let response = request.body(compressed.clone()).send().await.unwrap();
        assert_eq!(response.status(), status);
    }
    assert_eq!(provider.payments().await.len(), 1);
}

/// An event without an id is the one of its type about its object, and without an object's id the one of its bytes.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_an_id_is_stored_once() {
    let provider = Provider::with("").await;
    let mut without = event();
    without.as_object_mut().unwrap().remove("id");
    let agreement = json!({"type": "agreement.succeeded", "data": {"object": {"id": "agr_1", "object": "agreement"}}});
    let nothing =
        json!({"type": "summary.daily.available", "data": {"object": {"acct_id": "acct_1"}}});
    for (number, event) in (1..).zip([&without, &agreement, &nothing]) {
        for _ in 0..2 {
            let (status, answer) = provider.notify(event).await;
            assert_eq!(status, 200, "{answer}");
            assert_eq!(provider.payments().await.len(), number, "{event}");
        }
    }
    // The same agreement, written differently.
    let mut again = agreement.clone();
    again["pending_webhooks"] = 7.into();
    assert_eq!(provider.notify(&again).await.0, 200);
    let mut ids: Vec<_> = provider
        .payments()
        .await
        .into_iter()
        .map(|it| it.event_id)
        .collect();
    ids.sort();
    assert_eq!(ids[0], "agreement.succeeded:agr_1");
    assert!(ids[1].starts_with("body_"), "{}", ids[1]);
    assert_eq!(ids[2], "charge.succeeded:ch_yzLiP4fHiDiTeTyLCKOC8urD");
    // The event with its id reports the same charge.
    assert_eq!(provider.notify(&event()).await, paid());
    assert_eq!(provider.payments().await.len(), 3);
    // A charge without an id cannot be awarded or told from another one, and is kept all the same.
    without["data"]["object"]["id"] = Value::Null;
    assert_eq!(provider.notify(&without).await.0, 200);
    assert_eq!(provider.payments().await.len(), 4);
}

/// Numbers may be texts and texts numbers, also long ones.
#[tokio::test(flavor = "multi_thread")]
async fn the_order_has_several_names_and_numbers_keep_their_digits() {
    let provider = Provider::with("").await;
    let long = "20160316123456789012345";
    for (number, (fields, order)) in [
        (format!(r#""order_no": {long}"#), long),
        (
            format!(r#""order_no": "", "merchant_order_no": {long}"#),
            long,
        ),
        (
            r#""merchant_order_no": "m1", "charge": {"order_no": "c1"}"#.to_owned(),
            "m1",
        ),
        (
            r#""order_no": null, "charge": {"order_no": 77.0}"#.to_owned(),
            "77",
        ),
        (
            r#""order_no": "a", "merchant_order_no": "b""#.to_owned(),
            "a",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let body = format!(
            r#"{{"id": {number}, "type": "order.succeeded", "data": {{"object": {{"id": "o", "amount": " 100\n", "created": "1458280534", "time_paid": 1458280536.0, {fields}}}}}}}"#
        );
        let signed = signature(&provider.key, body.as_bytes());
        let answer = provider.send(body.as_bytes(), Some(&signed)).await;
        let data = format!(r#"{{"id":"o","order_no":"{order}","paid":false}}"#);
        assert_eq!(answer, sealed(200, &data, "ok"));
        let kept = provider.payments().await;
        let kept = kept.iter().find(|it| it.event_id == number.to_string());
        let kept = kept.unwrap();
        assert_eq!(kept.order_no.as_deref(), Some(order));
        let numbers = (kept.amount, kept.created, kept.time_paid);
        assert_eq!(
            numbers,
            (Some(100), Some(1_458_280_534), Some(1_458_280_536))
        );
    }
}

/// A field that cannot be read loses no payment, and is logged and counted.
#[tokio::test(flavor = "multi_thread")]
async fn unreadable_fields_are_counted() {
    let key = PrivateKey::generate();
    let config = format!(
        "{CONFIG}{}pay.award = {{ diamond = 'amount' }}\n",
        setting(&key)
    );
    let mut program = Program::start(&ProgramDir::with_config(&config), &[]).await;
    let client = program.client();
    let mut event = charge(1);
    let object = &mut event["data"]["object"];
    object["amount"] = "a lot".into();
    object["metadata"] = json!({"user_key": {"id": 5}});
    object["currency"] = "c".repeat(17).into();
    object["created"] = 1.5.into();
    let body = event.to_string();
    let url = format!("{}/gateway?method=status.pay_notify", client.base);
    let request = client.http.post(url).body(body.clone());
    let signed = signature(&key, body.as_bytes());
    let answer = Client::send(request.header("X-Pingplusplus-Signature", signed)).await;
    assert_eq!(answer.unwrap().code(), 200);
    for field in ["amount", "user_key", "currency", "created"] {
        let line = format!(r#"pointgate_payment_fields_skipped_total{{field="{field}"}} 1"#);
        wait_for_metric(&client, &line).await;
        let text = format!("skipped the field {field} of the payment event \"evt_ch_1\"");
        program.wait_for_log(&text).await;
    }
    program.wait_for_log("moves no points").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_answer_with_the_http_status() {
    let provider = Provider::with("").await;
    let forged = || with_status(403, fault(403, "签名验证不通过"));
    let no_event = || with_status(400, fault(400, "参数格式不对"));
    let body = event().to_string();
    let valid = signature(&provider.key, body.as_bytes());
    let mut other = valid.clone().into_bytes();
    other[10] = if other[10] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).unwrap();
    for (body, signature) in [
        (body.clone(), None),
        (body.clone(), Some("")),
        (body.clone(), Some("x")),
        (body.clone(), Some(other.as_str())),
        (body.replace("100", "101"), Some(valid.as_str())),
        (format!("{body} "), Some(valid.as_str())),
        (String::new(), Some(valid.as_str())),
        ("{}".into(), None),
    ] {
        assert_eq!(
            provider.send(body.as_bytes(), signature).await,
            forged(),
            "{body}"
        );
    }
    let url = "method=status.pay_notify";
    assert_eq!(provider.gateway.get(url).await, forged());
    // Neither QA's `debug` nor an app's signature replaces the provider's signature.
    assert_eq!(
        provider
            .gateway
            .call_with_debug("status.pay_notify", "")
            .await,
        forged()
    );
    assert_eq!(
        provider.gateway.call("status.pay_notify", "").await,
        forged()
    );
    let inside = format!(r#"{{"method":"status.pay_notify","x":{body}}}"#);
    let (_, answer) = provider
        .gateway
        .post("client_type=android&debug=XYZ", None, inside)
        .await;
    assert_eq!(answer, fault(403, "签名验证不通过").1, "named in the body");

    let mut unpaid = event();
    unpaid["data"]["object"]["paid"] = false.into();
    let mut typeless = event();
    typeless["type"] = Value::Null;
    let bodies = [
        json!([]),
        json!({}),
        json!("x"),
        json!({"id": "evt", "type": "charge.succeeded"}),
        json!({"id": "evt", "type": "x", "data": {"object": []}}),
        unpaid,
        typeless,
    ];
    for body in bodies {
        assert_eq!(provider.notify(&body).await, no_event(), "{body}");
    }
    let body = b"no json";
    let signed = signature(&provider.key, body);
    assert_eq!(provider.send(body, Some(&signed)).await, no_event());
    assert!(provider.payments().await.is_empty());
    provider.gateway.ledger().close().await;
    let (status, _) = provider.notify(&event()).await;
    assert_eq!(status, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configured_key_every_event_is_refused() {
    let gateway = TestGateway::start().await;
    let provider = Provider {
        key: PrivateKey::generate(),
        gateway,
    };
    let answer = provider.notify(&event()).await;
    assert_eq!(answer, with_status(403, fault(403, "签名验证不通过")));
}

/// `pointgate payments` lists events, and an invalid key is a configuration error.
#[tokio::test(flavor = "multi_thread")]
async fn operators_list_payments_and_a_bad_key_is_reported() {
    let key = PrivateKey::generate();
    let dir = ProgramDir::with_config(&format!("{CONFIG}{}", setting(&key)));
    let program = Program::start(&dir, &[]).await;
    let client = program.client();
    let mut second = event();
    second["id"] = "evt_2".into();
    second["data"]["object"]["id"] = "ch_2".into();
    second["data"]["object"]["order_no"] = "o2".into();
    let back = json!({"id": "evt_3", "type": "refund.succeeded", "data": {"object": {"id": "re_2", "order_no": "r2", "amount": 40, "charge": "ch_2"}}});
    for event in [event(), second, back] {
        let body = event.to_string();
        let url = format!("{}/gateway?method=status.pay_notify", client.base);
        let request = client
            .http
            .post(url)
            .header("X-Pingplusplus-Signature", signature(&key, body.as_bytes()));
        assert_eq!(Client::send(request.body(body)).await.unwrap().status, 200);
    }
    let all = text(&dir.run(&["payments"]).stdout);
    assert!(
        all.contains("charge.succeeded  ch_2  order o2  100 cny  wx  paid 2016-03-18 13:55:36"),
        "{all}"
    );
    assert!(all.ends_with("3 events\n"), "{all}");
    let one = text(&dir.run(&["payments", "--order", "o2"]).stdout);
    let refund = "refund.succeeded  re_2  order r2  40 -  -  paid -  for -  charge ch_2\n";
    assert!(one.contains("ch_2") && one.contains(refund), "{one}");
    assert!(one.ends_with("2 events\n"), "{one}");

    let dir = ProgramDir::with_config(&format!("{CONFIG}[status]\npingpp_public_key = 'hush'\n"));
    for command in ["check-config", "serve"] {
        let out = dir.run(&[command]);
        assert_eq!(out.status.code(), Some(1), "{command}");
        let why = text(&out.stderr);
        assert!(
            why.contains(
                "status.pingpp_public_key is not an RSA public key of 2048 to 8192 bits in PEM"
            ) && !why.contains("hush"),
            "{why}"
        );
    }
}
