//! A community score that is kept in the shop's coins: users earn it in the community and spend it in the shop.

use serde_json::{Value, json};

use super::client::COMMUNITY;
use crate::openapi::client::{ENVELOPE_SIGNER, PARTNERS};
use crate::test_gateway::{TestGateway, sealed};

/// A configuration in which a user token is the shop's uid and score2 is coins.
fn by_uid() -> String {
    let community = COMMUNITY.replace("[osx]", "[osx]\nuser_token = 'uid'\nscores.score2 = 'coin'");
    format!("{community}{PARTNERS}")
}

#[tokio::test(flavor = "multi_thread")]
async fn points_from_a_post_can_be_spent_in_the_shop() {
    let gateway = TestGateway::with_config(&by_uid()).await;
    for (call, coins) in [("5 1 post t1", "5"), ("5 1 post t2", "10")] {
        let (_, body) = gateway.notify(call).await;
        assert!(body.contains(&format!(r#""score2":"{coins}""#)), "{body}");
    }
    let spend = "uid=5&num=-7&type=19&orderCode=o";
    let answer = gateway.call("app.yohocoin.subtract", spend).await;
    assert_eq!(answer, sealed(200, r#"{"currency":"3","uid":5}"#, "ok"));
    let (_, body) = gateway.notify("5 1 unpost t3").await;
    assert!(body.contains(r#""score2":"0""#), "{body}");

    let (_, body) = gateway.call("app.yohocoin.lists", "uid=5").await;
    let list: Value = serde_json::from_str(&body).unwrap();
    let row = |key: &str, message: &str, num: i64, title: &str, kind: i64| json!({"date": "2026-05-20 11:30:32", "key": key, "message": message, "num": num, "title": title, "type": kind});
    let rows = json!([
        row("t3", "删除帖子", -3, "活动奖励", 3),
        row("o", "兑换实物o", -7, "兑换实物", 19),
        row("t2", "发帖奖励", 5, "活动奖励", 3),
        row("t1", "发帖奖励", 5, "活动奖励", 3),
    ]);
    assert_eq!(list["data"]["coinlist"], rows);

    let (_, body) = gateway
        .call_action(
            &ENVELOPE_SIGNER,
            "user.user-points-records",
            &json!({"user_id": 5}),
        )
        .await;
    let list: Value = serde_json::from_str(&body).unwrap();
    let points: Vec<&Value> = list["data"]["item_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["points"])
        .collect();
    assert_eq!(points, [3, 7, 5, 5]);

    // score2 expires as coins do; score1 never expires.
    gateway.notify("5 1 post t4").await;
    gateway.set_time("2030-01-01 00:00:00");
    let (_, body) = gateway.get_signed("/getUserInfo", "user_token=5").await;
    assert!(body.contains(r#""score1":"20","score2":"0""#), "{body}");
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_token_that_is_no_uid_is_refused() {
    let gateway = TestGateway::with_config(&by_uid()).await;
    for (call, parameter) in [
        ("a 1 post t1", "user_token"),
        ("-5 1 post t1", "user_token"),
        ("5>b 1 post t1", "to_user_token"),
    ] {
        let answer = gateway.notify(call).await;
        assert_eq!(
            answer,
            super::client::error(&format!("参数格式不对:{parameter}")),
            "{call}"
        );
    }
    assert_eq!(gateway.audit().await.entries, 0);
}
