//! What the community may do: its networks, and the points of a day.

use super::client::{COMMUNITY, error, ok};
use crate::test_gateway::TestGateway;

async fn gateway(limits: &str) -> TestGateway {
    TestGateway::with_config(&COMMUNITY.replace("[osx]", &format!("[osx]\n{limits}"))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks() {
    let gateway = gateway("from = ['203.0.113.0/24']").await;
    assert_eq!(gateway.notify("a 0 post t1").await, error("无权调用此接口"));
}

/// A `post` brings 10 and 5. Beyond the points of a day, an action is acknowledged and recorded, and scores nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_of_a_day() {
    let gateway = gateway("max_points_per_day = 40").await;
    gateway
        .check_actions(
            r#"
            a 0 post t1   | "user_info":{"user_token":"a","score1":"10","score2":"5"}
            b 0 post t2   | "user_info":{"user_token":"b","score1":"10","score2":"5"}
            c 0 post t3   | "user_info":{"user_token":"c"}
            a 0 unpost t4 | "user_info":{"user_token":"a","score1":"0","score2":"0"}
            c 0 post t3   | "user_info":{"user_token":"c"}
            a>b 0 like t5 | "user_info":{"user_token":"a","score1":"1"},"to_user_info":{"to_user_token":"b","score2":"7","score4":"3"}
            at 2026-05-21 00:00:00
            c 0 post t3   | "user_info":{"user_token":"c"}
            c 0 post t6   | "user_info":{"user_token":"c","score1":"10","score2":"5"}
            "#,
        )
        .await;
    let data = r#"{"action_token":"t7","user_info":{"user_token":"c","score1":"20","score2":"10"},"userInfo":{}}"#;
    assert_eq!(gateway.notify("c 0 post t7").await, ok(data));
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_previous_secret_is_accepted_too() {
    let rotated = COMMUNITY.replace(
        "app_secret = 'testsecret'",
        "app_secret = 'new'\nprevious_app_secret = 'testsecret'",
    );
    let gateway = TestGateway::with_config(&rotated).await;
    let data = r#"{"action_token":"t1","user_info":{"user_token":"a","score1":"10","score2":"5"},"userInfo":{}}"#;
    assert_eq!(gateway.notify("a 0 post t1").await, ok(data));
    let over = COMMUNITY.replace("app_secret = 'testsecret'", "app_secret = 'new'");
    let gateway = TestGateway::with_config(&over).await;
    assert_eq!(gateway.notify("a 0 post t1").await, error("签名验证不通过"));
}
