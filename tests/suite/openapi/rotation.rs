//! Rotation of secrets: both are valid, and metrics and log show which one a partner uses.

use serde_json::json;

use super::client::{ENVELOPE_SIGNER, PartnerClient, fault, next_nonce, success};
use crate::program::{CONFIG, Client, Program, ProgramDir};
use crate::test_gateway::TestGateway;

const OLD: PartnerClient = PartnerClient {
    secret: "secret zero",
    ..ENVELOPE_SIGNER
};

async fn uses(gateway: &TestGateway) -> Vec<String> {
    let metrics = gateway.get_response("/metrics").await.text().await.unwrap();
    let mut lines: Vec<String> = metrics
        .lines()
        .filter(|line| line.contains(r#"caller="p1""#))
        .map(|line| line.replace("pointgate_key_", ""))
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_are_accepted_and_counted() {
    let toml = "
        [[openapi.partners]]
        open_id = 'p1'
        grant_code = 'g1'
        secret = 'secret one'
        previous_secret = 'secret zero'
        allow = ['user.points-add']";
    let gateway = TestGateway::with_config(toml).await;
    let add = async |partner: &PartnerClient, biz_id: &str| {
        let params = json!({"balance": 1, "bizId": biz_id, "customerId": 5});
        gateway
            .call_action(partner, "user.points-add", &params)
            .await
    };
    let seen = |current: (i64, i64), previous: (i64, i64)| {
        vec![
            format!(
                r#"last_used_timestamp_seconds{{dialect="openapi",caller="p1",key="current"}} {}"#,
                current.1
            ),
            format!(
                r#"last_used_timestamp_seconds{{dialect="openapi",caller="p1",key="previous"}} {}"#,
                previous.1
            ),
            format!(
                r#"uses_total{{dialect="openapi",caller="p1",key="current"}} {}"#,
                current.0
            ),
            format!(
                r#"uses_total{{dialect="openapi",caller="p1",key="previous"}} {}"#,
                previous.0
            ),
        ]
    };
    assert_eq!(uses(&gateway).await, seen((0, 0), (0, 0)));
    let first = gateway.seconds();
    assert_eq!(add(&OLD, "a").await, success("[]"));
    assert_eq!(add(&OLD, "b").await, success("[]"));
    gateway.set_time("2026-05-20 11:40:00");
    assert_eq!(add(&ENVELOPE_SIGNER, "c").await, success("[]"));
    let now = gateway.seconds();
    assert_eq!(uses(&gateway).await, seen((1, now), (2, first)));
    let forged = PartnerClient {
        secret: "secret",
        ..ENVELOPE_SIGNER
    };
    assert_eq!(add(&forged, "d").await, fault(110004, "验签失败"));
    assert_eq!(uses(&gateway).await, seen((1, now), (2, first)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_secret_is_refused_once_it_is_removed() {
    let gateway = TestGateway::with_partners().await;
    let params = json!({"type": 4, "user_id": 5});
    let answer = gateway
        .call_action(&OLD, "communal.user.identity", &params)
        .await;
    assert_eq!(answer, fault(110004, "验签失败"));
    assert_eq!(uses(&gateway).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_used_secret_without_showing_it() {
    let config = format!(
        "{CONFIG}
        [[openapi.partners]]
        open_id = 'p1'
        grant_code = 'g1-to-hide'
        secret = 'secret one'
        previous_secret = 'secret zero'
        allow = ['user.points-add']"
    );
    let mut program =
        Program::start(&ProgramDir::with_config(&config), &[("RUST_LOG", "debug")]).await;
    let client = program.client();
    let mut tokens = Vec::new();
    for (secret, biz_id) in [
        ("secret zero", "hidden-a"),
        ("secret one", "hidden-b"),
        ("forged", "hidden-c"),
    ] {
        let partner = PartnerClient {
            grant_code: "g1-to-hide",
            secret,
            ..ENVELOPE_SIGNER
        };
        let params = json!({"balance": 1, "bizId": biz_id, "customerId": 5});
        let at = jiff::Timestamp::now().as_second();
        let envelope = partner.envelope(at, &next_nonce(), "user.points-add", &params);
        tokens.push(envelope["Token"].as_str().unwrap().to_owned());
        let request = client.http.post(format!("{}/api/v2", client.base));
        Client::send(request.body(envelope.to_string()))
            .await
            .unwrap();
    }
    program
        .wait_for_log("openapi: p1 signs with its previous key, 1 requests")
        .await;
    program
        .wait_for_log("openapi: p1 signs with its current key, 1 requests")
        .await;
    program.wait_for_log("method=- code=110004").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    let log = program.log();
    let hidden = [
        "secret zero",
        "secret one",
        "forged",
        "g1-to-hide",
        "hidden-",
    ];
    for secret in hidden.into_iter().chain(tokens.iter().map(String::as_str)) {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_served_to_configured_networks_only() {
    let gateway = TestGateway::with_config("server.metrics_from = ['10.0.0.0/8']").await;
    let response = gateway.get_response("/metrics").await;
    assert_eq!(response.status(), 403);
    let gateway = TestGateway::with_config(
        "server.metrics_from = ['10.0.0.0/8']\nserver.trusted_proxies = ['127.0.0.1']",
    )
    .await;
    for (from, status) in [("10.1.1.1", 200), ("11.1.1.1", 403)] {
        let url = gateway.url("/metrics");
        let request = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(url);
        let response = request
            .header("X-Forwarded-For", from)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{from}");
    }
}
