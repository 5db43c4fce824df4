//! A broker that others have set up: what is there is consumed as it is, and the log says what is missing.

use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use super::test_broker::{
    EARN, TestBroker, earn, header, limited_url, persistent, wait_for_connections, wait_for_metric,
    wait_for_total,
};
use crate::program::{Program, ProgramDir};

const UID: &str = "50030199";

fn arguments(name: &str, value: AMQPValue) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert(name.into(), value);
    arguments
}

/// Starts a program, sends a message that succeeds and one that is refused, and finds both where they belong.
async fn consumes(broker: &TestBroker, config: &str) -> Program {
    let mut program = Program::start(&ProgramDir::with_config(config), &[]).await;
    wait_for_connections(&mut program, 1).await;
    let client = program.client();
    wait_for_metric(&client, "pointgate_broker_consuming 1").await;
    broker.publish("app.nothing", &json!({}), "m1").await;
    broker.publish(EARN, &earn(UID, 5, "a"), "m2").await;
    wait_for_total(&client, UID, 5).await;
    let letter = broker.dead_letter().await;
    let reason = header(&letter, "x-reason");
    assert_eq!(reason.as_deref(), Some("501 method不存在"));
    program
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn queues_of_other_kinds_are_consumed_as_they_are() {
    let quorum = || arguments("x-queue-type", AMQPValue::LongString("quorum".into()));
    let expiring = || arguments("x-message-ttl", AMQPValue::LongInt(3_600_000));
    for (queue, dead_queue) in [
        (quorum(), quorum()),
        (expiring(), FieldTable::default()),
        (FieldTable::default(), expiring()),
    ] {
        let broker = TestBroker::new().await;
        broker.declare_with(queue, dead_queue).await;
        let mut program = consumes(&broker, &broker.config()).await;
        assert_eq!(program.terminate().await.code(), Some(0));
        assert_eq!(broker.remaining().await, (0, 0));
    }
}

/// A user who may read and write what others have declared, and configure nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_user_without_the_right_to_configure_consumes() {
    let broker = TestBroker::declared().await;
    let mut program = consumes(&broker, &broker.config_with_url(&limited_url())).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

/// The log says what is missing, the metric that nothing is consumed, and consumption starts once others have declared it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn what_others_have_to_set_up_is_said() {
    let broker = TestBroker::new().await;
    let dir = ProgramDir::with_config(&broker.config_with_url(&limited_url()));
    let mut program = Program::start(&dir, &[]).await;
    let missing = format!(
        "cannot consume from the broker: the queue {} is missing, and this user cannot declare it",
        broker.queue()
    );
    let log = program.wait_for_log(&missing).await;
    assert!(!log.contains("cannot reach the broker"), "{log}");
    let client = program.client();
    wait_for_metric(&client, "pointgate_broker_consuming 0").await;
    broker.declare().await;
    wait_for_metric(&client, "pointgate_broker_consuming 1").await;
    // Without its dead-letter queue, a refused message waits, and those of users with another worker do not.
    broker.delete_queue(&broker.dead_queue()).await;
    broker
        .publish("app.nothing", &json!({"uid": "3"}), "m1")
        .await;
    program
        .wait_for_log("cannot declare the dead-letter queue")
        .await;
    broker.publish(EARN, &earn(UID, 5, "a"), "m2").await;
    wait_for_total(&client, UID, 5).await;
    broker.declare().await;
    let letter = broker.dead_letter().await;
    assert_eq!(
        header(&letter, "x-routing-key").as_deref(),
        Some("app.nothing")
    );
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

/// The broker checks `user_id` against the user of the connection, so that it names the publisher.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn messages_of_other_publishers_are_dead_letters() {
    let broker = TestBroker::declared().await;
    let user = broker.user();
    for (publishers, user_id, accepted) in [
        ("'other'", Some(user.as_str()), false),
        ("'other'", None, false),
        (&*format!("'other', '{user}'"), Some(user.as_str()), true),
        ("", None, true),
    ] {
        let config = broker.config();
        let config = config.replace("[amqp]", &format!("[amqp]\npublishers = [{publishers}]"));
        let mut program = Program::start(&ProgramDir::with_config(&config), &[]).await;
        let mut properties = persistent()
            .with_message_id("m1".into())
            .with_app_id("other".into());
        if let Some(user_id) = user_id {
            properties = properties.with_user_id(user_id.into());
        }
        let body = earn(UID, 5, "a").to_string();
        broker.publish_with(EARN, body.as_bytes(), properties).await;
        if accepted {
            wait_for_total(&program.client(), UID, 5).await;
        } else {
            let reason = header(&broker.dead_letter().await, "x-reason");
            let expected = "506 the message's user_id is not in [amqp] publishers";
            assert_eq!(reason.as_deref(), Some(expected));
            assert_eq!(program.client().total(UID).await, 0);
        }
        assert_eq!(program.terminate().await.code(), Some(0));
        assert_eq!(broker.remaining().await, (0, 0));
    }
}
