//! What a partner may do: networks, rate and points.

use serde_json::json;

use super::client::{ENVELOPE_SIGNER, PARTNERS, declined, fault, success};
use crate::test_gateway::{Answer, TestGateway};

async fn gateway(limits: &str) -> TestGateway {
    let first = "secret = 'secret one'\n";
    TestGateway::with_config(&PARTNERS.replace(first, &format!("{first}{limits}\n"))).await
}

async fn give(gateway: &TestGateway, balance: i64, id: &str) -> Answer {
    let params = json!({"balance": balance, "bizId": id, "customerId": 5});
    gateway
        .call_action(&ENVELOPE_SIGNER, "user.points-add", &params)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks() {
    let gateway = gateway("from = ['203.0.113.0/24']").await;
    assert_eq!(
        give(&gateway, 1, "a").await,
        fault(110006, "无权调用此Action")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rate() {
    let gateway = gateway("rate_per_second = 1").await;
    assert_eq!(give(&gateway, 1, "a").await, success("[]"));
    let mut refused = 0;
    for i in 0..20 {
        let answer = give(&gateway, 1, &i.to_string()).await;
        if answer != success("[]") {
            assert_eq!(answer, fault(110007, "请求过于频繁"));
            refused += 1;
        }
    }
    assert!(refused > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points() {
    let gateway = gateway("max_points = 50\nmax_points_per_day = 60").await;
    let over = || declined(200003, "超出限额");
    assert_eq!(give(&gateway, 51, "a").await, over());
    assert_eq!(give(&gateway, 50, "a").await, success("[]"));
    assert_eq!(give(&gateway, 11, "b").await, over());
    assert_eq!(give(&gateway, 50, "a").await, success("[]"), "a retry");
    assert_eq!(give(&gateway, 10, "b").await, success("[]"));
    assert_eq!(give(&gateway, 1, "c").await, over());
    gateway.audit().await;
}
