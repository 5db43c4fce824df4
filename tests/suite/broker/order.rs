//! Concurrency and order: messages of different users run concurrently, those of one user in sequence, each until it succeeds
//! or is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::probe::{RecordedCall, consume, consume_with};
use super::proxy::Proxy;
use super::test_broker::{TestBroker, header};

/// The method of `probe.rs`.
const NOTE: &str = "probe.note";

async fn publish(broker: &TestBroker, user: &str, n: i64, ends: &str) {
    let body = json!({"user_key": user, "n": n, "ends": ends});
    broker.publish(NOTE, &body, &format!("{user}-{n}")).await;
}

/// The numbers and outcomes of each user's calls, in their order.
fn by_user(called: &[RecordedCall]) -> BTreeMap<&str, Vec<(i64, &str)>> {
    let mut users: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for call in called {
        let of_user = users.entry(&call.user).or_default();
        of_user.push((call.n, &call.end));
    }
    users
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_transient_failure_is_retried_in_order() {
    let broker = TestBroker::declared().await;
    let users = ["a", "b", "c", "d", "e", "f"];
    let ends = ["busy ok", "ok", "broken panic ok", "hang ok", "ok"];
    for (n, ends) in (0..).zip(ends) {
        for user in users {
            publish(&broker, user, n, ends).await;
        }
    }
    let (running, log) = consume(&broker);
    let called = log.wait_for_calls(users.len() * 9).await;
    let expected = [
        (0, "busy"),
        (0, "ok"),
        (1, "ok"),
        (2, "broken"),
        (2, "panic"),
        (2, "ok"),
        (3, "hang"),
        (3, "ok"),
        (4, "ok"),
    ];
    for (user, calls) in by_user(&called) {
        assert_eq!(calls, expected, "{user}");
    }
    for call in called {
        assert_eq!(call.id, Some(format!("{}-{}", call.user, call.n)));
    }
    running.stop().await;
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn messages_of_different_users_run_concurrently() {
    let broker = TestBroker::declared().await;
    for n in 0..20 {
        for user in 0..100 {
            publish(&broker, &format!("u{user}"), n, "ok").await;
        }
    }
    for user in 0..40 {
        publish(&broker, &format!("w{user}"), 0, "wait").await;
    }
    let (running, log) = consume_with(&broker, &super::test_broker::url(), Duration::from_secs(60));
    // Each waiting message blocks its key-ordered worker, so that there are at least so many workers.
    log.wait_for_concurrency(20).await;
    while log.calls().len() < 2040 {
        log.resume.notify_waiters();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let called = log.calls();
    for (user, calls) in by_user(&called) {
        let numbers: Vec<i64> = calls.iter().map(|(n, _)| *n).collect();
        let all: Vec<i64> = (0..i64::try_from(numbers.len()).unwrap()).collect();
        assert_eq!(numbers, all, "{user}");
    }
    running.stop().await;
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn transient_failures_lose_and_dead_letter_nothing() {
    let broker = TestBroker::declared().await;
    for n in 0..3 {
        publish(&broker, "a", n, "broken broken busy broken ok").await;
    }
    publish(&broker, "a", 3, "no").await;
    publish(&broker, "a", 4, "ok").await;
    let (running, log) = consume(&broker);
    let called = log.wait_for_calls(17).await;
    let numbers: Vec<i64> = called.iter().map(|call| call.n).collect();
    assert_eq!(numbers, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 4]);
    let letter = broker.dead_letter().await;
    assert_eq!(header(&letter, "x-reason").as_deref(), Some("407 钻石不足"));
    assert_eq!(
        letter.properties.message_id().as_ref().unwrap().as_str(),
        "a-3"
    );
    running.stop().await;
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_stop_leaves_unfinished_messages_unacknowledged() {
    let broker = TestBroker::declared().await;
    publish(&broker, "a", 0, "ok").await;
    publish(&broker, "a", 1, "wait").await;
    publish(&broker, "b", 0, "broken").await;
    publish(&broker, "b", 1, "ok").await;
    let (running, log) = consume_with(
        &broker,
        &super::test_broker::url(),
        Duration::from_secs(600),
    );
    log.wait_for_concurrency(2).await;
    log.wait_for_calls(2).await;
    // One message waits and one is between two attempts. The message behind it must not overtake it during the stop.
    running.stop().await;
    broker.wait_until_at_least(3).await;
    assert_eq!(broker.remaining().await, (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_redelivery_waits_for_the_call_under_way() {
    let broker = TestBroker::declared().await;
    let proxy = Proxy::cut_off().await;
    proxy.restore();
    publish(&broker, "a", 0, "wait ok").await;
    publish(&broker, "a", 1, "ok").await;
    let (running, log) = consume_with(&broker, &proxy.url, Duration::from_secs(60));
    log.wait_for_concurrency(1).await;
    proxy.cut();
    broker.wait_until_at_least(2).await;
    proxy.restore();
    broker.wait_until_at_most(0).await;
    // Both messages have been redelivered; the method records it if it is called twice at a time.
    log.resume.notify_one();
    let called = log.wait_for_calls(3).await;
    assert_eq!(by_user(&called)["a"], [(0, "wait"), (0, "ok"), (1, "ok")]);
    running.stop().await;
    assert_eq!(broker.remaining().await, (0, 0));
}
