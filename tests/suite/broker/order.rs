//! Many messages at a time, one user's one after the other, each until it succeeds or is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::probe::{RecordedCall, consume, consume_with};
use super::proxy::Proxy;
use super::test_broker::{TestBroker, header};

/// The method of the tests.
const NOTE: &str = "probe.note";

async fn publish(broker: &TestBroker, user: &str, n: i64, ends: &str) {
    let body = json!({"user_key": user, "n": n, "ends": ends});
    broker.publish(NOTE, &body, &format!("{user}-{n}")).await;
}

/// The numbers and ends of each user's calls, in their order.
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
async fn what_fails_for_now_is_tried_again_in_its_place() {
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
async fn different_users_do_not_wait_for_each_other() {
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
    // Those that wait hold up their lanes; so many lanes do they have at least.
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
async fn while_all_fails_nothing_is_lost_or_dead_lettered() {
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
async fn what_is_not_done_is_not_acknowledged() {
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
    // One still waits, and the other is between two tries; what is behind it does not overtake it in the end.
    running.stop().await;
    broker.wait_until_at_least(3).await;
    assert_eq!(broker.remaining().await, (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn what_comes_again_waits_for_what_is_still_done_about_it() {
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
    // Both have come again; the method log it if it is called twice at a time.
    log.resume.notify_one();
    let called = log.wait_for_calls(3).await;
    assert_eq!(by_user(&called)["a"], [(0, "wait"), (0, "ok"), (1, "ok")]);
    running.stop().await;
    assert_eq!(broker.remaining().await, (0, 0));
}
