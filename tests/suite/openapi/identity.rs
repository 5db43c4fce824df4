//! `communal.user.identity`: looks up a user and their points.

use super::client::{declined, fault, success};
use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_user_id() {
    let gateway = TestGateway::with_partners().await;
    let known = || success(r#"{"user_info":{"id":5,"user_points":100}}"#);
    let unknown = || declined(200001, "查询的信息不存在");
    let malformed = || fault(100002, "参数格式不对");
    let missing = |name: &str| fault(100001, &format!("缺少参数{name}"));
    for (params, answer) in [
        (r#"{"type":4,"user_id":5}"#, known()),
        (r#"{"type":"4","user_id":"5"}"#, known()),
        (r#"{"type":4,"user_id":6}"#, unknown()),
        (r#"{"type":4}"#, missing("user_id")),
        (r#"{"type":4,"user_id":""}"#, missing("user_id")),
        (r#"{"type":4,"user_id":0}"#, malformed()),
        (r#"{"type":4,"user_id":-5}"#, malformed()),
        (r#"{"type":4,"user_id":"x"}"#, malformed()),
        (r#"{"type":4,"user_id":[5]}"#, malformed()),
        // Types 1 to 3 name a user by data that the gateway does not have.
        (
            r#"{"type":1,"mobile":"13800000000","password":"x"}"#,
            unknown(),
        ),
        (r#"{"type":2,"card_number":"1"}"#, unknown()),
        (r#"{"type":3,"user_code":"1","user_id":5}"#, unknown()),
        (r#"{"type":0,"user_id":5}"#, malformed()),
        (r#"{"type":5,"user_id":5}"#, malformed()),
        (r#"{"user_id":5}"#, missing("type")),
    ] {
        assert_eq!(
            gateway
                .call_action_text("communal.user.identity", params)
                .await,
            answer,
            "{params}"
        );
    }
    // A user who has spent all points is still known.
    let order = "uid=5&num=-100&type=19&orderCode=o";
    gateway.call("app.yohocoin.subtract", order).await;
    let answer = gateway
        .call_action_text("communal.user.identity", r#"{"type":4,"user_id":5}"#)
        .await;
    assert_eq!(answer, success(r#"{"user_info":{"id":5,"user_points":0}}"#));
}
