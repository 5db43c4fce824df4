//! Messages count, once, and what the program needs of the broker it declares itself.

use lapin::BasicProperties;

use super::test_broker::{EARN, TestBroker, earn, wait_for_connections, wait_for_total};
use crate::program::{Program, ProgramDir, text};

const UID: &str = "50030199";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn messages_count_and_a_repeated_one_counts_once() {
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
    // By its other name, without an id, and not persistent.
    let body = earn(UID, 4000, "d").to_string();
    let plain = BasicProperties::default();
    broker
        .publish_with("app.yohocoin.add", body.as_bytes(), plain)
        .await;
    wait_for_total(&client, UID, 4321).await;
    // A user's messages keep their order: when this one has counted, the repeated ones before it did not.
    broker.publish(EARN, &earn(UID, 20, "b"), "b").await;
    broker.publish(EARN, &earn(UID, 50000, "e"), "e").await;
    wait_for_total(&client, UID, 54321).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
    program.audit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn what_survives_a_restart_of_the_broker_is_declared_so() {
    let broker = TestBroker::new().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    wait_for_connections(&mut program, 1).await;
    // The broker would refuse that if they were otherwise.
    broker.declare().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_queue_that_somebody_deletes_is_declared_again() {
    let broker = TestBroker::declared().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    wait_for_connections(&mut program, 1).await;
    broker.delete_queue(&broker.queue()).await;
    program.wait_for_log("lost the broker").await;
    let client = program.client();
    wait_for_connections(&mut program, 2).await;
    broker.publish(EARN, &earn(UID, 5, "a"), "a").await;
    wait_for_total(&client, UID, 5).await;
}

#[test]
fn check_config_says_whether_it_is_on() {
    let said = |config: &str| {
        let out = ProgramDir::with_config(config).run(&["check-config"]);
        assert!(out.status.success(), "{}", text(&out.stderr));
        text(&out.stdout)
    };
    let off = said("");
    assert!(off.contains("consumes no messages"), "{off}");
    let on = said("[amqp]\nurl = 'amqp://guest:guest@127.0.0.1:5672/%2f'\nqueue = 'q'");
    assert!(on.contains("consumes messages from the queue q\n"), "{on}");
    assert!(!on.contains("amqp://") && !on.contains("guest"), "{on}");
}
