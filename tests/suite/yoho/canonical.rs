//! One captured request is one request: other bytes with the same signed text never mean anything else.

use crate::test_gateway::{TestGateway, client_secret, fault, md5};

/// A captured `app.yohocoin.get` of 100 coins for user 5; `{}` stands where bytes are added.
const CAPTURED: [(&str, &str); 6] = [
    ("method", "app.yohocoin.get"),
    ("client_type", "android"),
    ("uid", "5"),
    ("num", "100"),
    ("type", "18"),
    ("referenceId", "r1"),
];

fn secret() -> String {
    client_secret(&CAPTURED, "k-android")
}

/// The captured query with another text for each name and each value.
fn query(change: impl Fn(&str, &str) -> String) -> String {
    let pairs: Vec<String> = CAPTURED
        .iter()
        .map(|(name, value)| change(name, value))
        .collect();
    format!("{}&client_secret={}", pairs.join("&"), secret())
}

async fn total(gateway: &TestGateway, uid: i64) -> i64 {
    let (_, body) = gateway
        .call("app.yohocoin.total", &format!("uid={uid}"))
        .await;
    let total = body.split(r#""total":"#).nth(1).unwrap();
    total.split('}').next().unwrap().parse().unwrap()
}

/// White space before a name or behind a value is no part of the signed text; it once made another reference.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_captured_request_counts_once_whatever_white_space_is_added() {
    let gateway = TestGateway::start().await;
    gateway
        .get(&query(|name, value| format!("{name}={value}")))
        .await;
    assert_eq!(total(&gateway, 5).await, 100);
    for space in [
        "+",
        "%09",
        "%0A",
        "%0D",
        "%00",
        "%1F",
        "%C2%A0",
        "%E3%80%80",
        "%E2%80%83",
    ] {
        for many in 1..4 {
            let space = space.repeat(many);
            gateway
                .get(&query(|name, value| format!("{name}={value}{space}")))
                .await;
            gateway
                .get(&query(|name, value| format!("{space}{name}={value}")))
                .await;
            gateway
                .get(&query(|name, value| match name {
                    "referenceId" => format!("{name}={value}{space}"),
                    _ => format!("{name}={value}"),
                }))
                .await;
        }
    }
    assert_eq!(total(&gateway, 5).await, 100);
    assert_eq!(gateway.audit().await.entries, 1);
}

/// A signature for one's own uid does not spend another user's coins, however its text is split.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_has_one_reading() {
    let gateway = TestGateway::start().await;
    gateway
        .call("app.yohocoin.get", "uid=6&num=50&type=18&referenceId=v")
        .await;
    let forged = fault(500, "数据验证错误.");
    // The attacker's client signs this message, which an end user typed.
    let typed = "x&num=1000000000&referenceId=r9&type=18&uid=5";
    let text = format!(
        "client_type=android&message={typed}&method=app.yohocoin.get&private_key=k-android"
    );
    let secret = md5(&text);
    let whole = "method=app.yohocoin.get&client_type=android&message=x%26num%3D1000000000%26referenceId%3Dr9%26type%3D18%26uid%3D5";
    assert_eq!(
        gateway
            .get(&format!("{whole}&client_secret={secret}"))
            .await,
        forged
    );
    for ambiguous in [
        "method=app.yohocoin.add&client_type=android&uid=5&message=x%26marsId%3D9",
        "method=app.yohocoin.total&client_type=android&uid=5&+uid=6",
        "method=app.yohocoin.total&client_type=android&uid=5&a%26uid=6",
        "method=app.yohocoin.total&client_type=android&uid%3D5=6",
    ] {
        let query = format!("{ambiguous}&debug=XYZ&client_secret=0");
        assert_eq!(gateway.get(&query).await, forged, "{ambiguous}");
    }
    assert_eq!(
        (total(&gateway, 5).await, total(&gateway, 6).await),
        (0, 50)
    );
}

/// JSON is not signed, so it gives only what query and form do not have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_beside_a_signed_query_replaces_nothing() {
    let gateway = TestGateway::start().await;
    gateway
        .get(&query(|name, value| format!("{name}={value}")))
        .await;
    for spaced in ["+referenceId", "%09referenceId", "%C2%A0referenceId"] {
        let query = query(|name, value| match name {
            "referenceId" => format!("{spaced}={value}"),
            _ => format!("{name}={value}"),
        });
        let json = r#"{"referenceId":"r2","uid":7,"num":1000000}"#;
        gateway.post(&query, Some("application/json"), json).await;
    }
    assert_eq!(
        (total(&gateway, 5).await, total(&gateway, 7).await),
        (100, 0)
    );
    assert_eq!(gateway.audit().await.entries, 1);
}

/// Clients of both trims are understood: the message is read as it was signed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_trims_are_understood() {
    let gateway = TestGateway::start().await;
    for (n, text, sent) in [
        (1, "message=签到\u{3000}", "%E7%AD%BE%E5%88%B0%E3%80%80"),
        (2, "message=签到", "%E7%AD%BE%E5%88%B0%E3%80%80"),
        (3, "message=签到", "%E7%AD%BE%E5%88%B0+"),
        (4, "message=签到\u{3000}", "%E7%AD%BE%E5%88%B0%E3%80%80+%0A"),
        (5, "message=签到", "%E7%AD%BE%E5%88%B0+%E3%80%80%0A"),
        (6, "message=签到", "%E7%AD%BE%E5%88%B0%EF%BB%BF"),
    ] {
        let signed = format!(
            "client_type=android&{text}&method=app.yohocoin.get&num=1&private_key=k-android&referenceId=m{n}&type=18&uid=5"
        );
        let query = format!(
            "method=app.yohocoin.get&client_type=android&uid=5&num=1&type=18&referenceId=m{n}&message={sent}&client_secret={}",
            md5(&signed)
        );
        let (_, body) = gateway.get(&query).await;
        assert!(
            body.contains(&format!(r#""currency":"{n}""#)),
            "{n}: {body}"
        );
    }
    let (_, rows) = gateway.call("app.yohocoin.lists", "uid=5").await;
    let found: Vec<&str> = rows.split(r#""message":""#).skip(1).collect();
    let found: Vec<&str> = found
        .iter()
        .map(|it| it.split('"').next().unwrap())
        .collect();
    let (java, unicode) = ("签到\u{3000}", "签到");
    assert_eq!(found[..6], [unicode, unicode, java, unicode, unicode, java]);
}
