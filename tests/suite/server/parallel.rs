//! Concurrent requests on one account: none is lost, none counts twice, and the balance never goes below zero.

use futures_util::future::join_all;

use crate::test_gateway::{Answer, TestGateway, fault, sealed};

fn balance(coins: i64) -> Answer {
    let data = format!(r#"{{"currency":"{coins}","uid":5}}"#);
    sealed(200, &data, "ok")
}

async fn assert_total(gateway: &TestGateway, coins: i64) {
    let data = format!(r#"{{"code":"20111130-152530","total":{coins}}}"#);
    let answer = sealed(200, &data, "yoho coin total");
    assert_eq!(gateway.call("app.yohocoin.total", "uid=5").await, answer);
}

/// Makes all calls concurrently and returns their answers in the order of the calls.
async fn all(gateway: &TestGateway, calls: Vec<(&str, String)>) -> Vec<Answer> {
    let calls = calls
        .iter()
        .map(|(method, parameters)| gateway.call(method, parameters));
    join_all(calls).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_spends_stop_at_zero() {
    let gateway = TestGateway::start().await;
    let begun = gateway.call("app.yohocoin.get", "uid=5&num=1000&type=18&referenceId=a");
    assert_eq!(begun.await, balance(1000));
    let spend = |i| format!("uid=5&num=-10&type=19&orderCode=o{i}");
    let calls = (0..200).map(|i| ("app.yohocoin.subtract", spend(i)));
    let mut answers = all(&gateway, calls.collect()).await;
    // Each success answers with a different balance: 990, 980, … 0.
    let mut expected: Vec<Answer> = (0..100).map(|i| balance(i * 10)).collect();
    expected.extend((0..100).map(|_| fault(407, "有货币不足")));
    answers.sort();
    expected.sort();
    assert_eq!(answers, expected);
    assert_total(&gateway, 0).await;
    // Retries answer as the first attempts did.
    let calls = (0..200).map(|i| ("app.yohocoin.subtract", spend(i)));
    let mut again = all(&gateway, calls.collect()).await;
    again.sort();
    assert_eq!(again, expected);
    assert_eq!(gateway.audit().await.entries, 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identical_concurrent_calls_count_once() {
    let gateway = TestGateway::start().await;
    let rows = [
        (
            "app.yohocoin.get",
            "uid=5&num=100&type=18&referenceId=a",
            100,
        ),
        ("app.yohocoin.get", "uid=5&num=7&type=17&referenceId=a", 107),
        (
            "app.yohocoin.subtract",
            "uid=5&num=-50&type=19&orderCode=A",
            57,
        ),
        (
            "app.yohocoin.return",
            "uid=5&num=20&type=22&orderCode=A",
            77,
        ),
        (
            "app.yohocoin.return",
            "uid=5&num=20&type=22&orderCode=A&requestId=1",
            97,
        ),
    ];
    for (method, parameters, coins) in rows {
        let calls = vec![(method, parameters.to_owned()); 64];
        for answer in all(&gateway, calls).await {
            assert_eq!(answer, balance(coins), "{method} {parameters}");
        }
        assert_total(&gateway, coins).await;
    }
    assert_eq!(gateway.audit().await.entries, 5);
}

/// One reference is sent with two amounts: the first amount to arrive counts, and the other gets 410 each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_concurrent_amounts_counts() {
    let gateway = TestGateway::start().await;
    let call = |num| format!("uid=5&num={num}&type=18&referenceId=a");
    let calls = (0..64).map(|i| ("app.yohocoin.get", call(1 + i % 2)));
    let answers = all(&gateway, calls.collect()).await;
    let coins = if answers[0] == balance(1) { 1 } else { 2 };
    for (answer, num) in answers.into_iter().zip((0..64).map(|i| 1 + i % 2)) {
        let expected = match num == coins {
            true => balance(coins),
            false => fault(410, "referenceId已被使用"),
        };
        assert_eq!(answer, expected, "num {num}, {coins} counted");
    }
    assert_total(&gateway, coins).await;
    assert_eq!(gateway.audit().await.entries, 1);
}

/// Concurrent returns of one order never exceed what the order spent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_returns_stop_at_what_the_order_spent() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins | get uid=5&num=100&type=18&referenceId=a    | {"currency":"100","uid":5}
        spends    | subtract uid=5&num=-95&type=19&orderCode=A | {"currency":"5","uid":5}
    "#;
    gateway.check_table(table).await;
    let call = |i| format!("uid=5&num=10&type=22&orderCode=A&requestId={i}");
    let calls = (0..64).map(|i| ("app.yohocoin.return", call(i)));
    let mut answers = all(&gateway, calls.collect()).await;
    let mut expected: Vec<Answer> = (1..=9).map(|i| balance(5 + i * 10)).collect();
    expected.extend((0..55).map(|_| fault(408, "退还数量超出订单已使用数量")));
    answers.sort();
    expected.sort();
    assert_eq!(answers, expected);
    assert_total(&gateway, 95).await;
    gateway.audit().await;
}

/// Earns, spends and returns on the shared account with references of this task; returns the sum of what counted.
async fn mixed(gateway: &TestGateway, task: i64) -> i64 {
    let mut coins = 0;
    for i in 0..8 {
        let calls = [
            (
                "app.yohocoin.get",
                format!("uid=5&num=30&type=18&referenceId={task}-{i}"),
                30,
            ),
            (
                "app.yohocoin.subtract",
                format!("uid=5&num=-20&type=19&orderCode={task}-{i}"),
                -20,
            ),
            (
                "app.yohocoin.return",
                format!("uid=5&num=5&type=22&orderCode={task}-{i}"),
                5,
            ),
            (
                "app.yohocoin.return",
                format!("uid=5&num=16&type=22&orderCode={task}-{i}"),
                0,
            ),
        ];
        for (method, parameters, num) in calls {
            let (status, body) = gateway.call(method, &parameters).await;
            assert_eq!(status, 200, "{method} {parameters}: {body}");
            let refused = body == r#"{"code":408,"message":"退还数量超出订单已使用数量"}"#;
            let counted = body.starts_with(r#"{"alg":"SALT_MD5","code":200,"#);
            assert!(
                if num == 0 { refused } else { counted },
                "{method} {parameters}: {body}"
            );
            coins += num;
        }
    }
    coins
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_mixed_calls_add_up() {
    let gateway = TestGateway::start().await;
    let coins: i64 = join_all((0..24).map(|task| mixed(&gateway, task)))
        .await
        .iter()
        .sum();
    assert_eq!(coins, 24 * 8 * 15);
    assert_total(&gateway, coins).await;
    let report = gateway.audit().await;
    assert_eq!((report.accounts, report.entries), (1, 24 * 8 * 3));
    assert_eq!(report.points, i128::from(coins));
}
