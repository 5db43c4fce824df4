//! Every row of the protocol's table of codes, and the order of the checks.

use serde_json::{Value, json};

use super::client::{
    ENVELOPE_SIGNER, FULL_SIGNER, PartnerClient, declined, fault, next_nonce, success, urlencode,
};
use crate::test_gateway::{Answer, TestGateway};

const IDENTITY: &str = "communal.user.identity";
const KNOWN: &str = r#"{"user_info":{"id":5,"user_points":100}}"#;

/// A change that a case makes to a valid envelope.
type Change = fn(&mut Value);

fn params() -> Value {
    json!({"type": 4, "user_id": 5})
}

/// A valid envelope, changed and signed again.
fn resigned(gateway: &TestGateway, partner: &PartnerClient, change: impl Fn(&mut Value)) -> Value {
    let mut envelope = gateway.envelope(partner, IDENTITY, &params());
    change(&mut envelope);
    envelope["Token"] = partner.token(&envelope).into();
    envelope
}

fn malformed() -> Answer {
    fault(100002, "参数格式不对")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_an_envelope_is_accepted() {
    let gateway = TestGateway::with_partners().await;
    let spellings: [(&str, Change); 7] = [
        ("as it is", |_| ()),
        ("a number for a time", |it| {
            it["Timestamp"] = it["Timestamp"]
                .as_str()
                .unwrap()
                .parse::<i64>()
                .unwrap()
                .into();
        }),
        ("white space round a time", |it| {
            it["Timestamp"] = format!(" {}\n", it["Timestamp"].as_str().unwrap()).into();
        }),
        ("a number for a nonce", |it| {
            it["Nonce"] = it["Nonce"].as_str().unwrap().parse::<i64>().unwrap().into();
        }),
        ("any text for a nonce", |it| it["Nonce"] = "一 &=%+".into()),
        ("more than is asked", |it| it["Version"] = "2".into()),
        ("numbers as texts", |it| {
            it["Params"] = json!({"type": "4", "user_id": "5", "mobile": ""});
        }),
    ];
    for partner in [ENVELOPE_SIGNER, FULL_SIGNER] {
        for (name, change) in spellings {
            let envelope = resigned(&gateway, &partner, change);
            let answer = gateway.post_envelope(envelope.to_string()).await;
            assert_eq!(answer, success(KNOWN), "{name}: {envelope}");

            let mut camel = Value::Object(Default::default());
            for (field, value) in envelope.as_object().unwrap() {
                camel[field[..1].to_lowercase() + &field[1..]] = value.clone();
            }
            camel["nonce"] = format!("{}-camel", next_nonce()).into();
            camel["token"] = partner.token(&camel).into();
            let answer = gateway.post_envelope(camel.to_string()).await;
            assert_eq!(answer, success(KNOWN), "{name}: {camel}");
        }
        let plain = resigned(&gateway, &partner, |_| ());
        let token = plain["Token"].as_str().unwrap();
        let decoded = token.replace("%2B", "+").replace("%2F", "/");
        let decoded = decoded.replace("%3D", "=");
        assert_eq!(urlencode(&decoded), token);
        let mut plain = plain.clone();
        plain["Token"] = decoded.into();
        let answer = gateway.post_envelope(plain.to_string()).await;
        assert_eq!(answer, success(KNOWN), "a Token without its last encoding");
    }
}

/// The test vector of protocols.md part 2.
#[tokio::test(flavor = "multi_thread")]
async fn the_test_vector_is_accepted() {
    let partner = "
        [[openapi.partners]]
        open_id = 'fake-open-id-for-test-only-0001'
        grant_code = 'fake-grant-code-0001'
        secret = 'fake-open-key-for-test-only-0001'
        allow = ['communal.user.identity']";
    let gateway = TestGateway::with_config(partner).await;
    gateway.set_time("2024-04-08 16:00:00");
    let envelope = json!({
        "openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
        "timestamp": 1712563200, "nonce": 24680, "token": "ySypL4SRFMmfSrCqOiFE01LK3ks%3D",
        "action": IDENTITY, "params": params(),
    });
    let answer = gateway.post_envelope(envelope.to_string()).await;
    assert_eq!(answer, declined(200001, "查询的信息不存在"));
    let pascal = envelope.to_string().replace("openId", "OpenId");
    let answer = gateway.post_envelope(pascal).await;
    assert_eq!(answer, fault(100001, "缺少参数GrantCode"), "no mixture");
    for changed in ["ySypL4SRFMmfSrCqOiFE01LK3kt%3D", "="] {
        let mut forged = envelope.clone();
        forged["token"] = changed.into();
        let answer = gateway.post_envelope(forged.to_string()).await;
        assert_eq!(answer, fault(110004, "验签失败"), "{changed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_envelopes_are_refused() {
    let gateway = TestGateway::with_partners().await;
    let deep = "[".repeat(200) + &"]".repeat(200);
    let bodies = [
        "",
        " ",
        "x",
        "[]",
        "5",
        "null",
        "\"\"",
        "{",
        "{}x",
        "{\"OpenId\":\"p1\"",
        "\u{0}",
        &deep,
    ];
    for body in bodies {
        assert_eq!(
            gateway.post_envelope(body.to_owned()).await,
            malformed(),
            "{body}"
        );
    }
    assert_eq!(gateway.post_envelope(vec![0xff, 0xfe]).await, malformed());

    let mut wrong = Vec::new();
    for name in [
        "OpenId",
        "GrantCode",
        "Timestamp",
        "Nonce",
        "Token",
        "Action",
    ] {
        for value in [json!(true), json!([]), json!({}), json!(1.5), json!(["p1"])] {
            wrong.push((name, value));
        }
    }
    for value in [json!("x"), json!(5), json!(true), json!([1]), json!([[]])] {
        wrong.push(("Params", value));
    }
    for value in ["x", "1.5", "12a", "1 2", "1e9", "99999999999999999999"] {
        wrong.push(("Timestamp", json!(value)));
    }
    for (name, value) in wrong {
        let mut envelope = gateway.envelope(&ENVELOPE_SIGNER, IDENTITY, &params());
        envelope[name] = value;
        let answer = gateway.post_envelope(envelope.to_string()).await;
        assert_eq!(answer, malformed(), "{envelope}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_field_is_named() {
    let gateway = TestGateway::with_partners().await;
    let names = [
        "OpenId",
        "GrantCode",
        "Timestamp",
        "Nonce",
        "Token",
        "Action",
        "Params",
    ];
    for name in names {
        let lacking = fault(100001, &format!("缺少参数{name}"));
        for value in [None, Some(json!("")), Some(Value::Null)] {
            let mut envelope = gateway.envelope(&ENVELOPE_SIGNER, IDENTITY, &params());
            match value {
                None => drop(envelope.as_object_mut().unwrap().remove(name)),
                Some(value) => envelope[name] = value,
            }
            let answer = gateway.post_envelope(envelope.to_string()).await;
            assert_eq!(answer, lacking, "{envelope}");
        }
    }
    // If several fields are missing, the answer names the first in the envelope's order, in the client's spelling.
    for (at, name) in names.iter().enumerate() {
        let mut envelope = gateway.envelope(&ENVELOPE_SIGNER, IDENTITY, &params());
        for name in &names[at..] {
            envelope.as_object_mut().unwrap().remove(*name);
        }
        let answer = gateway.post_envelope(envelope.to_string()).await;
        assert_eq!(answer, fault(100001, &format!("缺少参数{name}")));
    }
    let answer = gateway.post_envelope(r#"{"openId":"p1"}"#).await;
    assert_eq!(answer, fault(100001, "缺少参数grantCode"));
    assert_eq!(
        gateway.post_envelope("{}").await,
        fault(100001, "缺少参数OpenId")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_params_count_as_missing() {
    let gateway = TestGateway::with_partners().await;
    for partner in [ENVELOPE_SIGNER, FULL_SIGNER] {
        for none in [json!([]), json!({})] {
            let answer = gateway.call_action(&partner, IDENTITY, &none).await;
            assert_eq!(answer, fault(100001, "缺少参数type"), "{none}");
        }
    }
}

/// Each step breaks one more check than the step before it, and the answer is that of the earliest check.
#[tokio::test(flavor = "multi_thread")]
async fn checks_run_in_the_documented_order() {
    let gateway = TestGateway::with_partners().await;
    let used = gateway.envelope(&FULL_SIGNER, IDENTITY, &params());
    assert_eq!(
        gateway.post_envelope(used.to_string()).await,
        success(KNOWN)
    );
    let used_nonce = used["Nonce"].clone();

    // From the last check to the first. Each change stays for the following steps.
    let steps: [(Change, Answer); 10] = [
        (|_| (), fault(110005, "Nonce已被使用")),
        (
            |it| it["Params"] = json!({"type": 4, "user_id": 6}),
            fault(110005, "Nonce已被使用"),
        ),
        (
            |it| it["Params"] = json!({"type": 4, "user_id": "x"}),
            malformed(),
        ),
        (
            |it| it["Params"] = json!({"user_id": "x"}),
            fault(100001, "缺少参数type"),
        ),
        (
            |it| it["Action"] = "user.points-add".into(),
            fault(110006, "无权调用此Action"),
        ),
        (
            |it| it["Action"] = "user.points-sub".into(),
            fault(100404, "Action不存在"),
        ),
        (
            |it| it["Token"] = "forged".into(),
            fault(110004, "验签失败"),
        ),
        (
            |it| it["Timestamp"] = "1".into(),
            fault(110003, "Timestamp不在有效时间内"),
        ),
        (
            |it| it["GrantCode"] = "g1".into(),
            fault(110002, "GrantCode不匹配"),
        ),
        (
            |it| it["OpenId"] = "p3".into(),
            fault(110001, "OpenId不存在"),
        ),
    ];
    let mut envelope = used;
    for (at, (change, answer)) in steps.iter().enumerate() {
        change(&mut envelope);
        if at < 6 {
            envelope["Token"] = FULL_SIGNER.token(&envelope).into();
        }
        assert_eq!(
            &gateway.post_envelope(envelope.to_string()).await,
            answer,
            "{envelope}"
        );
    }
    envelope["Action"] = Value::Null;
    let answer = gateway.post_envelope(envelope.to_string()).await;
    assert_eq!(answer, fault(100001, "缺少参数Action"));
    envelope["Params"] = json!(1);
    assert_eq!(
        gateway.post_envelope(envelope.to_string()).await,
        malformed()
    );

    // None of these requests has used a nonce or released the used one.
    let again = resigned(&gateway, &FULL_SIGNER, |it| {
        it["Nonce"] = used_nonce.clone()
    });
    let answer = gateway.post_envelope(again.to_string()).await;
    assert_eq!(answer, fault(110005, "Nonce已被使用"));
    let other = resigned(&gateway, &ENVELOPE_SIGNER, |it| {
        it["Nonce"] = used_nonce.clone()
    });
    let answer = gateway.post_envelope(other.to_string()).await;
    assert_eq!(answer, success(KNOWN), "a nonce is a partner's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn timestamps_are_valid_for_five_minutes_either_way() {
    let gateway = TestGateway::with_partners().await;
    let late = fault(110003, "Timestamp不在有效时间内");
    let now = gateway.seconds();
    let call = async |at: i64, clock: &str| {
        gateway.set_time(clock);
        let envelope = ENVELOPE_SIGNER.envelope(at, &next_nonce(), IDENTITY, &params());
        gateway.post_envelope(envelope.to_string()).await
    };
    let (sharp, after, before) = (
        "2026-05-20 11:30:32",
        "2026-05-20 11:30:32.001",
        "2026-05-20 11:30:31.999",
    );
    for (at, clock, valid) in [
        (now, sharp, true),
        (now - 300, sharp, true),
        (now - 300, after, false),
        (now - 301, sharp, false),
        (now + 300, sharp, true),
        (now + 300, before, false),
        (now + 301, sharp, false),
        (now + 301, after, false),
        (0, sharp, false),
        (-now, sharp, false),
        (now * 1000, sharp, false),
        (i64::MAX, sharp, false),
        (i64::MIN, sharp, false),
    ] {
        let expected = if valid { success(KNOWN) } else { late.clone() };
        assert_eq!(call(at, clock).await, expected, "{at} at {clock}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_answers_110007() {
    let queue = format!(
        "[ledger]\nqueue = 1\nbatch = 1\n{}",
        super::client::PARTNERS
    );
    let gateway = TestGateway::with_config(&queue).await;
    let add = |i: u64| {
        let params = json!({"balance": "1", "bizId": format!("b{i}"), "customerId": 5});
        gateway.envelope(&ENVELOPE_SIGNER, "user.points-add", &params)
    };
    let calls = (0..100).map(|i| gateway.post_envelope(add(i).to_string()));
    let answers = futures_util::future::join_all(calls).await;
    let (accepted, busy): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| *answer == success("[]"));
    assert!(!busy.is_empty());
    for answer in busy {
        assert_eq!(answer, fault(110007, "请求过于频繁"));
    }
    assert_eq!(gateway.audit().await.points, accepted.len() as i128);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internal_error_answers_500000() {
    let gateway = TestGateway::with_partners().await;
    gateway.ledger().close().await;
    for (action, params) in [
        (IDENTITY, params()),
        ("user.user-points-records", json!({"user_id": 5})),
        (
            "user.points-add",
            json!({"balance": 1, "bizId": "b", "customerId": 5}),
        ),
    ] {
        let (status, answer) = gateway.call_action(&ENVELOPE_SIGNER, action, &params).await;
        assert_eq!(status, 500);
        assert_eq!(answer, fault(500000, "系统错误").1);
    }
    let large = "x".repeat((256 << 10) + 1);
    let (status, answer) = gateway.post_envelope(large).await;
    assert_eq!((status, answer), (413, fault(100002, "请求体过大").1));
}

/// .NET writes a byte order mark, and PHP half a surrogate pair where it cut a text within an emoji.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_and_half_a_pair_refuse_nobody() {
    let gateway = TestGateway::with_partners().await;
    let action = "user.user-points-records";
    let params = json!({ "user_id": "5" });
    let plain = gateway.call_action(&ENVELOPE_SIGNER, action, &params).await;
    let params = json!({ "user_id": "5", "note": "HALF" });
    for (mark, note) in [("\u{feff}", "x"), ("", r"\ud83d"), ("\u{feff}", r"\udc00")] {
        let envelope = gateway.envelope(&ENVELOPE_SIGNER, action, &params);
        let envelope = format!("{mark}{}", envelope.to_string().replace("HALF", note));
        assert_eq!(gateway.post_envelope(envelope).await, plain, "{note}");
    }
}
