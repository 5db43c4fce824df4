//! A nonce is used once: sequentially, concurrently, after a restart or a kill, and across two programs.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::client::{ENVELOPE_SIGNER, PARTNERS, fault, next_nonce, success};
use crate::program::{CONFIG, Client, Program, ProgramDir};
use crate::test_gateway::{Answer, TestGateway};

const ADD: &str = "user.points-add";
const RECORDS: &str = "user.user-points-records";

fn replayed() -> Answer {
    fault(110005, "Nonce已被使用")
}

fn gift(biz_id: &str) -> Value {
    json!({"balance": 10, "bizId": biz_id, "customerId": 7})
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_concurrent_replays_succeeds() {
    let gateway = TestGateway::with_partners().await;
    for (action, params) in [(ADD, gift("b")), (RECORDS, json!({"user_id": 5}))] {
        let body = gateway
            .envelope(&ENVELOPE_SIGNER, action, &params)
            .to_string();
        let answers = join_all((0..50).map(|_| gateway.post_envelope(body.clone()))).await;
        let (replays, accepted): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|answer| *answer == replayed());
        assert_eq!((replays.len(), accepted.len()), (49, 1), "{action}");
        assert!(accepted[0].1.contains(r#""code":0,"#), "{}", accepted[0].1);
    }
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_is_unique_per_timestamp() {
    let gateway = TestGateway::with_partners().await;
    let call = async |at: i64, nonce: &str| {
        let params = json!({"type": 4, "user_id": 5});
        let envelope = ENVELOPE_SIGNER.envelope(at, nonce, "communal.user.identity", &params);
        gateway.post_envelope(envelope.to_string()).await
    };
    let known = success(r#"{"user_info":{"id":5,"user_points":100}}"#);
    let now = gateway.seconds();
    assert_eq!(call(now, "1").await, known);
    assert_eq!(call(now, "1").await, replayed());
    assert_eq!(call(now, "2").await, known);
    assert_eq!(call(now + 1, "1").await, known);
    // The same nonce and time as JSON numbers.
    let params = json!({"type": 4, "user_id": 5});
    let mut envelope = ENVELOPE_SIGNER.envelope(now, "1", "communal.user.identity", &params);
    envelope["Nonce"] = 1.into();
    envelope["Timestamp"] = now.into();
    envelope["Token"] = ENVELOPE_SIGNER.token(&envelope).into();
    assert_eq!(
        gateway.post_envelope(envelope.to_string()).await,
        replayed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_does_not_use_its_nonce() {
    let gateway = TestGateway::with_partners().await;
    gateway
        .call_action(&ENVELOPE_SIGNER, ADD, &gift("used"))
        .await;
    let nonce = next_nonce();
    let call = async |action: &str, params: Value| {
        let envelope = ENVELOPE_SIGNER.envelope(gateway.seconds(), &nonce, action, &params);
        gateway.post_envelope(envelope.to_string()).await.1
    };
    for (action, params, code) in [
        (RECORDS, json!({}), 100001),
        (RECORDS, json!({"user_id": "x"}), 100002),
        (RECORDS, json!({"user_id": 6}), 200001),
        (
            "communal.user.identity",
            json!({"type": 4, "user_id": 6}),
            200001,
        ),
        ("communal.user.identity", json!({"type": 4}), 100001),
        (
            ADD,
            json!({"balance": 11, "bizId": "used", "customerId": 7}),
            200002,
        ),
        ("none", json!({}), 100404),
        (ADD, gift("good"), 0),
        (ADD, gift("better"), 110005),
        (
            ADD,
            json!({"balance": 11, "bizId": "used", "customerId": 7}),
            110005,
        ),
        (RECORDS, json!({"user_id": 5}), 110005),
        (RECORDS, json!({"user_id": 6}), 110005),
    ] {
        let answer = call(action, params.clone()).await;
        assert!(
            answer.contains(&format!(r#""code":{code},"#)),
            "{action} {params}: {answer}"
        );
    }
    assert_eq!(gateway.audit().await.points, 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_nonces_are_purged() {
    let gateway = TestGateway::with_partners().await;
    let old = gateway.seconds();
    let body = ENVELOPE_SIGNER
        .envelope(old, "old", ADD, &gift("old"))
        .to_string();
    assert_eq!(gateway.post_envelope(body.clone()).await, success("[]"));
    gateway.set_time("2026-05-20 11:34:00");
    let body = ENVELOPE_SIGNER
        .envelope(gateway.seconds(), "new", ADD, &gift("new"))
        .to_string();
    assert_eq!(gateway.post_envelope(body.clone()).await, success("[]"));

    let ledger = gateway.ledger();
    assert_eq!(ledger.purge_nonces(old * 1000).await, Ok(0));
    assert_eq!(gateway.post_envelope(body.clone()).await, replayed());
    assert_eq!(ledger.purge_nonces(old * 1000 + 1).await, Ok(1));
    assert_eq!(ledger.purge_nonces(old * 1000 + 1).await, Ok(0));
    assert_eq!(
        gateway.post_envelope(body).await,
        replayed(),
        "the new one is kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_nonces_are_purged() {
    let gateway = TestGateway::with_partners().await;
    let calls = (0..2500).map(|i| {
        let at = gateway.seconds() - i % 3;
        let params = json!({"type": 4, "user_id": 5});
        let envelope =
            ENVELOPE_SIGNER.envelope(at, &next_nonce(), "communal.user.identity", &params);
        gateway.post_envelope(envelope.to_string())
    });
    for (_, answer) in join_all(calls).await {
        assert!(answer.contains(r#""code":0,"#), "{answer}");
    }
    assert_eq!(
        gateway.ledger().purge_nonces(gateway.now() + 1).await,
        Ok(2500)
    );
}

async fn send(client: &Client, body: &str) -> String {
    let request = client.http.post(format!("{}/api/v2", client.base));
    Client::send(request.body(body.to_owned()))
        .await
        .unwrap()
        .text
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_nonce_stays_used_after_a_kill_and_in_a_second_program() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{PARTNERS}"));
    let mut program = Program::start(&dir, &[]).await;
    let gift = |i: i32| {
        ENVELOPE_SIGNER
            .envelope(now(), &next_nonce(), ADD, &gift(&format!("b{i}")))
            .to_string()
    };
    let mut bodies: Vec<String> = (0..40).map(gift).collect();
    let client = program.client();
    let answers = join_all(bodies.iter().map(|body| send(&client, body))).await;
    assert!(answers.iter().all(|answer| *answer == success("[]").1));
    let read = ENVELOPE_SIGNER
        .envelope(now(), &next_nonce(), RECORDS, &json!({"user_id": 7}))
        .to_string();
    assert!(send(&client, &read).await.contains(r#""total":40,"#));
    bodies.push(read);

    let second = Program::start(&dir, &[]).await;
    let check = async |client: Client, when: &str| {
        for body in &bodies {
            assert_eq!(send(&client, body).await, replayed().1, "{when}");
        }
        assert_eq!(client.total("7").await, 400, "{when}");
    };
    check(second.client(), "at a second program").await;
    program.kill();
    program.restart().await;
    check(program.client(), "after a kill").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    program.restart().await;
    check(program.client(), "after a restart").await;
    program.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_accept_a_nonce_once() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{PARTNERS}"));
    let one = Program::start(&dir, &[]).await;
    let other = Program::start(&dir, &[]).await;
    let clients = [one.client(), other.client()];
    for i in 0..20 {
        let body = ENVELOPE_SIGNER
            .envelope(now(), &next_nonce(), ADD, &gift(&format!("b{i}")))
            .to_string();
        let (a, b) = tokio::join!(send(&clients[0], &body), send(&clients[1], &body));
        let mut answers = [a, b];
        answers.sort_unstable();
        assert_eq!(answers, [replayed().1, success("[]").1]);
    }
    assert_eq!(clients[0].total("7").await, 200);
    one.audit();
}
