//! Which methods messages may call.

use serde_json::json;

use super::test_broker::{EARN, TestBroker, earn, header, wait_for_metric, wait_for_total};
use crate::program::{Program, ProgramDir, text};

const UID: &str = "50030199";
const MAY_NOT: &str = "506 无权调用此method";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn other_methods_than_topics_must_be_named() {
    let broker = TestBroker::declared().await;
    // By its other name.
    let config = broker.config();
    let config = config.replace(
        "'app.yohocoin.get', 'app.yohocoin.subtract'",
        "'app.yohocoin.add'",
    );
    let mut program = Program::start(&ProgramDir::with_config(&config), &[]).await;
    broker
        .publish(
            "app.yohocoin.subtract",
            &json!({"uid": UID, "num": -1, "type": 19}),
            "m1",
        )
        .await;
    broker
        .publish("app.yohocoin.total", &json!({"uid": UID}), "m2")
        .await;
    for _ in 0..2 {
        let reason = header(&broker.dead_letter().await, "x-reason");
        assert_eq!(reason.as_deref(), Some(MAY_NOT));
    }
    broker.publish(EARN, &earn(UID, 5, "a"), "m3").await;
    let client = program.client();
    wait_for_total(&client, UID, 5).await;
    let diamonds = json!({"user_key": "a", "envious": -5});
    broker
        .publish("status.sports_envious.v2", &diamonds, "m4")
        .await;
    let reason = header(&broker.dead_letter().await, "x-reason");
    assert_eq!(reason.as_deref(), Some("407 钻石不足"));
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_reload_counts_from_the_next_message_on() {
    let broker = TestBroker::declared().await;
    let named = broker.config();
    let config = named.replace("'app.yohocoin.get', 'app.yohocoin.subtract'", "");
    let dir = ProgramDir::with_config(&config);
    let mut program = Program::start(&dir, &[]).await;
    broker.publish(EARN, &earn(UID, 5, "a"), "m1").await;
    let reason = header(&broker.dead_letter().await, "x-reason");
    assert_eq!(reason.as_deref(), Some(MAY_NOT));
    dir.write("gateway.toml", &named);
    let reloaded = dir.run(&["reload"]);
    assert_eq!(text(&reloaded.stdout), "reloaded\n");
    broker.publish(EARN, &earn(UID, 5, "a"), "m2").await;
    wait_for_total(&program.client(), UID, 5).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn settled_messages_are_counted() {
    let broker = TestBroker::declared().await;
    let program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    let client = program.client();
    broker.publish(EARN, &earn(UID, 5, "a"), "m1").await;
    broker
        .publish("app.yohocoin.total", &json!({"uid": UID}), "m2")
        .await;
    broker
        .publish("app.nothing", &json!({"uid": UID}), "m3")
        .await;
    for line in [
        r#"pointgate_messages_total{method="app.yohocoin.get",code="200"} 1"#,
        r#"pointgate_messages_total{method="app.yohocoin.total",code="506"} 1"#,
        r#"pointgate_messages_total{method="-",code="501"} 1"#,
    ] {
        wait_for_metric(&client, line).await;
    }
}

/// All publishers together: none of them proves who it is, so one could take another name for each message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn messages_give_so_many_points_a_day() {
    let broker = TestBroker::declared().await;
    let config = broker.config();
    let config = config.replace("[amqp]", "[amqp]\nmax_points_per_day = 100");
    let mut program = Program::start(&ProgramDir::with_config(&config), &[]).await;
    let give = async |count: i64, id: &str| {
        let body = json!({"user_key": "a", "count": count, "change_type": "STEP_DIAMOND"});
        broker.publish("status.add_diamond", &body, id).await;
    };
    let client = program.client();
    let settled = async |code: i64, count: i64| {
        let line = format!(
            r#"pointgate_messages_total{{method="status.add_diamond",code="{code}"}} {count}"#
        );
        wait_for_metric(&client, &line).await;
    };
    give(60, "m1").await;
    settled(200, 1).await;
    give(41, "m2").await;
    settled(508, 1).await;
    give(60, "m1").await;
    settled(200, 2).await;
    give(40, "m3").await;
    settled(200, 3).await;
    let reason = header(&broker.dead_letter().await, "x-reason");
    assert_eq!(reason.as_deref(), Some("508 超出限额"));
    assert_eq!(program.terminate().await.code(), Some(0));
}

#[test]
fn an_unknown_method_stops_the_start() {
    let config = "[amqp]\nmethods = ['app.yohocoin.get', 'app.nothing']";
    for command in ["check-config", "serve"] {
        let out = ProgramDir::with_config(config).run(&[command]);
        assert_eq!(out.status.code(), Some(1), "{command}");
        let why = text(&out.stderr);
        let expected = "amqp.methods names app.nothing, but there is no such method; `pointgate methods` lists them";
        assert!(why.contains(expected), "{why}");
    }
}
