//! Freezes, as callers and operators see them: each dialect refuses in its own words.

mod instances;

use pointgate::ledger::book::freeze::FreezeScope::{self, All, Spending};
use pointgate::members::Members;
use serde_json::json;

use super::journal::operator;
use crate::openapi::client::{ENVELOPE_SIGNER, PARTNERS, declined, success};
use crate::osx::client::COMMUNITY;
use crate::test_gateway::{TestGateway, fault, sealed};

fn frozen() -> (u16, String) {
    fault(411, "账户已冻结")
}

/// A gateway with uid 5, who is also the community's five: 90 coins, of an order that spent 10, and 20 diamonds.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::with_config(&format!("{PARTNERS}{COMMUNITY}")).await;
    let members = Members::new(gateway.ledger().clone());
    members.link(5, "five", operator()).await.unwrap();
    let setup = r#"
        earn   | get uid=5&num=100&type=18&referenceId=r1                                         | {"currency":"100","uid":5}
        spend  | subtract uid=5&num=-10&type=19&orderCode=o1                                      | {"currency":"90","uid":5}
        shine  | status.add_diamond {"user_key":"five","count":20,"change_type":"T","identity":"i"} | {"diamonds":20,"user_key":"five"}
        "#;
    gateway.check_table(setup).await;
    let post = r#"five 1 post t0 | "user_info":{"user_token":"five","score1":"10","score2":"5"}"#;
    gateway.check_actions(post).await;
    gateway
}

async fn freeze(gateway: &TestGateway, name: &str, scope: FreezeScope) {
    let by = operator();
    let done = gateway
        .ledger()
        .freeze(name, scope, "a leaked key", &by)
        .await;
    let done = done.unwrap();
    assert_eq!((done.owner.as_str(), done.is_new), ("uid:5", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_refuses_in_its_own_words() {
    let gateway = gateway().await;
    let gift = json!({"balance": 10, "bizId": "b", "customerId": 5});
    let envelope = gateway.envelope(&ENVELOPE_SIGNER, "user.points-add", &gift);
    freeze(&gateway, "key:five", All).await;
    let refused = r#"
        earn     | get uid=5&num=1&type=18&referenceId=r2                                 | 411 账户已冻结
        check in | get uid=5&num=1&type=17&referenceId=r2                                 | 411 账户已冻结
        spend    | subtract uid=5&num=-1&type=19&orderCode=o2                             | 411 账户已冻结
        too much | subtract uid=5&num=-1000&type=19&orderCode=o2                          | 411 账户已冻结
        return   | return uid=5&num=1&type=22&orderCode=o1                                | 411 账户已冻结
        shine    | status.add_diamond {"user_key":"five","count":1,"change_type":"T"}     | 411 账户已冻结
        fade     | status.reduce_diamond {"user_key":"five","count":1,"change_type":"T"}  | 411 账户已冻结
        prevent  | status.reduce_diamond {"user_key":"five","count":1,"change_type":"T","identity":"i","with_prevent":1} | 411 账户已冻结
        sports   | status.sports_envious.v2 {"user_key":"five","envious":3}               | 411 账户已冻结
        used     | get uid=5&num=2&type=18&referenceId=r1                                 | 410 referenceId已被使用
        "#;
    gateway.check_table(refused).await;
    let refusal = declined(200_004, "账户已冻结");
    assert_eq!(gateway.post_envelope(envelope.to_string()).await, refusal);
    // Both sides of an action that concerns a frozen member score nothing.
    let actions = r#"
        five 1 post t1   | "user_info":{"user_token":"five"}
        five>six 1 like t2 | "user_info":{"user_token":"five"},"to_user_info":{"to_user_token":"six"}
        six>five 1 like t3 | "user_info":{"user_token":"six"},"to_user_info":{"to_user_token":"five"}
        "#;
    gateway.check_actions(actions).await;
    // What was applied before is answered as it was, and everything can be read.
    let known = r#"
        retry  | get uid=5&num=100&type=18&referenceId=r1     | {"currency":"100","uid":5}
        retry  | subtract uid=5&num=-10&type=19&orderCode=o1  | {"currency":"90","uid":5}
        retry  | status.add_diamond {"user_key":"five","count":20,"change_type":"T","identity":"i"} | {"diamonds":20,"user_key":"five"}
        total  | total uid=5                                  | {"code":"20111130-152530","total":90}
        "#;
    gateway.check_table(known).await;
    let repeated =
        r#"five 1 post t0 | "user_info":{"user_token":"five","score1":"10","score2":"5"}"#;
    gateway.check_actions(repeated).await;

    let lifted = gateway
        .ledger()
        .unfreeze("uid:5", "done", &operator())
        .await;
    assert!(lifted.unwrap().is_new);
    // The refusal has not used the partner's nonce; the community's actions stay without a score.
    assert_eq!(
        gateway.post_envelope(envelope.to_string()).await,
        success("[]")
    );
    gateway.check_actions(actions).await;
    let again = r#"
        spend | subtract uid=5&num=-1&type=19&orderCode=o2 | {"currency":"99","uid":5}
        give  | return uid=5&num=1&type=22&orderCode=o1    | {"currency":"100","uid":5}
        "#;
    gateway.check_table(again).await;
    gateway
        .check_actions(
            r#"five 1 post t4 | "user_info":{"user_token":"five","score1":"20","score2":"10"}"#,
        )
        .await;
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_of_spending_lets_points_in_and_takes_them_down() {
    let gateway = gateway().await;
    freeze(&gateway, "uid:5", Spending).await;
    let table = r#"
        spend  | subtract uid=5&num=-1&type=19&orderCode=o2                              | 411 账户已冻结
        fade   | status.reduce_diamond {"user_key":"five","count":1,"change_type":"T"}   | 411 账户已冻结
        sports | status.sports_envious.v2 {"user_key":"five","envious":-3}               | 411 账户已冻结
        earn   | get uid=5&num=1&type=18&referenceId=r2                                  | {"currency":"91","uid":5}
        return | return uid=5&num=10&type=22&orderCode=o1                                | {"currency":"101","uid":5}
        shine  | status.add_diamond {"user_key":"five","count":1,"change_type":"T"}      | {"diamonds":21,"user_key":"five"}
        "#;
    gateway.check_table(table).await;
    let gift = json!({"balance": 10, "bizId": "b", "customerId": 5});
    let given = gateway.call_action(&ENVELOPE_SIGNER, "user.points-add", &gift);
    assert_eq!(given.await, success("[]"));
    // A score that the community takes back stops at zero.
    let actions = r#"
        five 1 unpost t1 | "user_info":{"user_token":"five","score1":"0","score2":"0"}
        five 1 post t2   | "user_info":{"user_token":"five","score1":"10","score2":"5"}
        "#;
    gateway.check_actions(actions).await;
    // A wider scope takes its place, and the same once more changes nothing.
    freeze(&gateway, "uid:5", All).await;
    let same = gateway
        .ledger()
        .freeze("uid:5", All, "again", &operator())
        .await;
    assert!(!same.unwrap().is_new);
    let (status, answer) = gateway
        .call("app.yohocoin.get", "uid=5&num=1&type=18&referenceId=r3")
        .await;
    assert_eq!((status, answer), frozen());
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_expire_in_a_frozen_account() {
    let gateway = gateway().await;
    freeze(&gateway, "uid:5", All).await;
    gateway.set_time("2028-01-01 00:00:00");
    let total = sealed(
        200,
        r#"{"code":"20111130-152530","total":0}"#,
        "yoho coin total",
    );
    assert_eq!(gateway.call("app.yohocoin.total", "uid=5").await, total);
    let (_, list) = gateway.call("app.yohocoin.lists", "uid=5").await;
    assert!(list.contains(r#""num":-90,"title":"积分过期""#), "{list}");
    assert_eq!(gateway.ledger().expire(gateway.now()).await.unwrap(), 0);
    gateway.audit().await;
}
