//! The log shows connections, losses and dead letters, but nothing of the URL, its password or a message.

use super::proxy::Proxy;
use super::test_broker::{
    EARN, TestBroker, earn, persistent, url, wait_for_connections, wait_for_total,
};
use crate::program::{Program, ProgramDir};

/// A marker in every value of the messages.
const PRIVATE: &str = "pv7";
const UID: &str = "5003017770177";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn the_log_shows_events_and_nothing_private() {
    let broker = TestBroker::declared().await;
    let proxy = Proxy::cut_off().await;
    let dir = ProgramDir::with_config(&broker.config_with_url(&proxy.url));
    let variables = [("RUST_LOG", "debug")];
    let mut program = Program::start(&dir, &variables).await;
    program.wait_for_log("cannot reach the broker: ").await;
    proxy.restore();
    wait_for_connections(&mut program, 1).await;
    let valid = earn(UID, 5, &format!("{PRIVATE}-a"));
    broker.publish(EARN, &valid, &format!("{PRIVATE}-id")).await;
    let invalid = format!(r#"{{"uid":"{UID}","num":"{PRIVATE}","message":"{PRIVATE}"}}"#);
    for (key, body) in [
        (EARN, invalid.as_str()),
        (EARN, PRIVATE),
        (&format!("app.{PRIVATE}"), &invalid),
    ] {
        let properties = persistent().with_message_id(format!("{PRIVATE}-id").into());
        broker.publish_with(key, body.as_bytes(), properties).await;
        broker.dead_letter().await;
    }
    wait_for_total(&program.client(), UID, 5).await;
    proxy.cut();
    program
        .wait_for_log("lost the connection to the broker: ")
        .await;
    assert_eq!(program.terminate().await.code(), Some(0));
    let log = program.log();
    for line in [
        "dead-lettered method=app.yohocoin.get code=402",
        "dead-lettered method=app.yohocoin.get code=400",
        "dead-lettered method=- code=501",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    let own = log.lines().filter(|line| !line.contains("/gateway"));
    for private in [PRIVATE, UID, "amqp://", "guest:", &proxy.url, &url()] {
        let shown: Vec<&str> = own.clone().filter(|line| line.contains(private)).collect();
        assert!(shown.is_empty(), "{private}: {shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_wrong_password_is_reported_but_not_shown() {
    let broker = TestBroker::new().await;
    let (_, address) = url()
        .split_once('@')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let config = broker.config_with_url(&format!("amqp://guest:hush-hush@{address}"));
    let mut program = Program::start(&ProgramDir::with_config(&config), &[]).await;
    let line = program.wait_for_log("cannot reach the broker: ").await;
    assert!(line.contains("ACCESS_REFUSED"), "{line}");
    assert_eq!(program.terminate().await.code(), Some(0));
    let log = program.log();
    assert!(!log.contains("hush") && !log.contains("amqp://"), "{log}");
}
