//! The scores of actions: rules for both users, daily limits, and deductions down to zero.

use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread")]
async fn both_users_get_their_scores() {
    let gateway = TestGateway::with_community().await;
    gateway.check_actions(
            r#"
            a 1 post t1     | "user_info":{"user_token":"a","score1":"10","score2":"5"}
            a 2 post t2     | "user_info":{"user_token":"a","score1":"20","score2":"10"}
            b>a 1 like t3   | "user_info":{"user_token":"b","score1":"1"},"to_user_info":{"to_user_token":"a","score2":"12","score4":"3"}
            b 1 like t4     | "user_info":{"user_token":"b","score1":"2"}
            a>b 1 post t5   | "user_info":{"user_token":"a","score1":"30","score2":"17"},"to_user_info":{"to_user_token":"b"}
            a>a 1 like t6   | "user_info":{"user_token":"a","score1":"31"},"to_user_info":{"to_user_token":"a","score2":"19","score4":"6"}
            a 1 other t7    | "user_info":{"user_token":"a"}
            a>b 1 other t8  | "user_info":{"user_token":"a"},"to_user_info":{"to_user_token":"b"}
            "#,
        )
        .await;
    let report = gateway.audit().await;
    assert_eq!((report.entries, report.points), (13, 31 + 19 + 6 + 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deduction_stops_at_zero() {
    let gateway = TestGateway::with_community().await;
    gateway.check_actions(
            r#"
            a 1 unpost t1    | "user_info":{"user_token":"a"}
            b>a 1 like t2    | "user_info":{"user_token":"b","score1":"1"},"to_user_info":{"to_user_token":"a","score2":"2","score4":"3"}
            a 1 unpost t3    | "user_info":{"user_token":"a","score2":"0"}
            a 1 post t4      | "user_info":{"user_token":"a","score1":"10","score2":"5"}
            a 1 unpost t5    | "user_info":{"user_token":"a","score1":"0","score2":"0"}
            a 1 unpost t6    | "user_info":{"user_token":"a"}
            "#,
        )
        .await;
    assert_eq!(gateway.audit().await.points, 4);
}

/// The limit counts one actor's actions of one name on one local day.
#[tokio::test(flavor = "multi_thread")]
async fn the_daily_limit_counts_per_user_and_local_day() {
    let gateway = TestGateway::with_community().await;
    gateway.check_actions(
            r#"
            at 2026-05-20 00:00:00
            a>c 1 like t1 | "user_info":{"user_token":"a","score1":"1"},"to_user_info":{"to_user_token":"c","score2":"2","score4":"3"}
            a>c 1 like t1 | "user_info":{"user_token":"a","score1":"1"},"to_user_info":{"to_user_token":"c","score2":"2","score4":"3"}
            at 2026-05-20 23:59:59.999
            a>c 1 like t2 | "user_info":{"user_token":"a","score1":"2"},"to_user_info":{"to_user_token":"c","score2":"4","score4":"6"}
            a>c 1 like t3 | "user_info":{"user_token":"a"},"to_user_info":{"to_user_token":"c"}
            a 1 post t4   | "user_info":{"user_token":"a","score1":"12","score2":"5"}
            b>c 1 like t5 | "user_info":{"user_token":"b","score1":"1"},"to_user_info":{"to_user_token":"c","score2":"6","score4":"9"}
            at 2026-05-21 00:00:00
            a>c 1 like t3 | "user_info":{"user_token":"a"},"to_user_info":{"to_user_token":"c"}
            a>c 1 like t6 | "user_info":{"user_token":"a","score1":"13"},"to_user_info":{"to_user_token":"c","score2":"8","score4":"12"}
            a>c 1 like t7 | "user_info":{"user_token":"a","score1":"14"},"to_user_info":{"to_user_token":"c","score2":"10","score4":"15"}
            a>c 1 like t8 | "user_info":{"user_token":"a"},"to_user_info":{"to_user_token":"c"}
            "#,
        )
        .await;
}

/// Concurrent actions score no more often than the limit allows.
#[tokio::test(flavor = "multi_thread")]
async fn the_daily_limit_holds_for_concurrent_actions() {
    let gateway = TestGateway::with_community().await;
    let calls: Vec<String> = (0..64).map(|i| format!("a 1 like t{i}")).collect();
    let calls = calls.iter().map(|call| gateway.notify(call));
    let answers = futures_util::future::join_all(calls).await;
    let scored = answers.iter().filter(|(_, body)| body.contains("score1"));
    assert_eq!(scored.count(), 2);
    assert_eq!(gateway.audit().await.points, 2);
}

/// In the committed rules, deleting a post takes back what posting gave, and unliking what liking gave.
#[tokio::test(flavor = "multi_thread")]
async fn the_committed_rules_are_symmetric() {
    let gateway =
        TestGateway::with_config("osx.app_key = 'testappkey'\nosx.app_secret = 'testsecret'").await;
    gateway.check_actions(
            r#"
            a 1 osapi_com_sendThread t1               | "user_info":{"user_token":"a","score1":"10","score2":"5"}
            b>a 1 osapi_common_doSupport_thread t2    | "user_info":{"user_token":"b","score1":"1"},"to_user_info":{"to_user_token":"a","score1":"11","score2":"6"}
            b>a 1 osapi_common_doDelSupport_thread t3 | "user_info":{"user_token":"b","score1":"0"},"to_user_info":{"to_user_token":"a","score1":"10","score2":"5"}
            a 1 osapi_com_deleteCom_user t4           | "user_info":{"user_token":"a","score1":"0","score2":"0"}
            a 0 osapi_user_qiandao t5                 | "user_info":{"user_token":"a","score1":"5","score2":"2"}
            a 0 osapi_user_qiandao t6                 | "user_info":{"user_token":"a"}
            "#,
        )
        .await;
}
