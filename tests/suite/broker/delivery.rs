//! Each message counts once, and the program declares the exchange and queues that it needs.

use lapin::BasicProperties;

use super::test_broker::{EARN, TestBroker, earn, wait_for_connections, wait_for_total};
use crate::program::{Program, ProgramDir, text};

const UID: &str = "50030199";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_repeated_message_counts_once() {
    let broker = TestBroker::new().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    wait_for_connections(&mut program, 1).await;
    let client = program.client();
    for (reference, num) in [("a", 1), ("b", 20), ("a", 1), ("c", 300), ("b", 20)] {
        broker
            .publish(EARN, &earn(UID, num, reference), reference)
            .await;
    }
    wait_for_total(&client, UID, 321).await;
    // By the method's other name, without a message id, and not persistent.
    let body = earn(UID, 4000, "d").to_string();
    let plain = BasicProperties::default();
    broker
        .publish_with("app.yohocoin.add", body.as_bytes(), plain)
        .await;
    wait_for_total(&client, UID, 4321).await;
    // With a byte order mark before it, and half a surrogate pair in it.
    let body = body.replace(r#""d""#, r#""e\ud83d""#);
    let body = format!("\u{feff}{body}");
    let plain = BasicProperties::default();
    broker.publish_with(EARN, body.as_bytes(), plain).await;
    wait_for_total(&client, UID, 8321).await;
    // Messages of one user keep their order: once the last one has counted, the repeated one before it has been handled.
    broker.publish(EARN, &earn(UID, 20, "b"), "b").await;
    broker.publish(EARN, &earn(UID, 50000, "e"), "e").await;
    wait_for_total(&client, UID, 58321).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
    program.audit();
}

/// .NET writes a byte order mark, and PHP half a surrogate pair where it cut a text within an emoji.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_mark_and_half_a_pair_refuse_no_message() {
    let broker = TestBroker::new().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    wait_for_connections(&mut program, 1).await;
    let body = earn(UID, 7, "a").to_string();
    let body = format!(
        "\u{feff}{}",
        body.replacen('{', r#"{"message":"\ud83d","#, 1)
    );
    let plain = BasicProperties::default();
    broker.publish_with(EARN, body.as_bytes(), plain).await;
    wait_for_total(&program.client(), UID, 7).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn exchange_and_queues_are_declared_durable() {
    let broker = TestBroker::new().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    wait_for_connections(&mut program, 1).await;
    // The broker refuses a declaration with other properties.
    broker.declare().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_deleted_queue_is_declared_again() {
    let broker = TestBroker::declared().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    wait_for_connections(&mut program, 1).await;
    broker.delete_queue(&broker.queue()).await;
    program
        .wait_for_log("lost the connection to the broker")
        .await;
    let client = program.client();
    wait_for_connections(&mut program, 2).await;
    broker.publish(EARN, &earn(UID, 5, "a"), "a").await;
    wait_for_total(&client, UID, 5).await;
}

#[test]
fn check_config_reports_whether_the_consumer_is_on() {
    let check_config = |config: &str| {
        let out = ProgramDir::with_config(config).run(&["check-config"]);
        assert!(out.status.success(), "{}", text(&out.stderr));
        text(&out.stdout)
    };
    let off = check_config("");
    assert!(off.contains("consumes no messages"), "{off}");
    let on = check_config("[amqp]\nurl = 'amqp://guest:guest@127.0.0.1:5672/%2f'\nqueue = 'q'");
    assert!(on.contains("consumes messages from the queue q\n"), "{on}");
    assert!(!on.contains("amqp://") && !on.contains("guest"), "{on}");
}
