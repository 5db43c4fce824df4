//! Messages that can never succeed go to the dead-letter queue with a reason, and do not block the others.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable};

use super::test_broker::{
    EARN, TestBroker, earn, header, persistent, wait_for_connections, wait_for_metric,
    wait_for_total,
};
use crate::program::{Program, ProgramDir};

const UID: &str = "50030199";

/// The routing key, the body and the reason of a refused message.
const POISON: [(&str, &str, &str); 8] = [
    (EARN, "no JSON", "400 the body is no JSON object"),
    (EARN, "", "400 the body is no JSON object"),
    (EARN, "[1]", "400 the body is no JSON object"),
    (EARN, r#"{"uid":1"#, "400 the body is no JSON object"),
    ("app.nothing", r#"{"uid":1}"#, "501 method不存在"),
    (EARN, "{}", "400 请先登录"),
    (
        EARN,
        r#"{"uid":50030199,"num":0}"#,
        "402 获取的有货币不合法",
    ),
    (
        "app.yohocoin.subtract",
        r#"{"uid":50030198,"num":-5,"type":19,"orderCode":"o"}"#,
        "407 有货币不足",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn refused_messages_are_dead_lettered_with_a_reason_and_block_nothing() {
    let broker = TestBroker::declared().await;
    let mut expected = Vec::new();
    for (i, (key, body, reason)) in POISON.into_iter().enumerate() {
        let id = format!("p{i}");
        let properties = persistent().with_message_id(id.as_str().into());
        broker.publish_with(key, body.as_bytes(), properties).await;
        broker.publish(EARN, &earn(UID, 1, &id), &id).await;
        expected.push((id, key, body.to_owned(), reason.to_owned()));
    }
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    wait_for_total(&program.client(), UID, i64::try_from(POISON.len()).unwrap()).await;
    let mut found = Vec::new();
    for _ in POISON {
        let letter = broker.dead_letter().await;
        assert_eq!(*letter.properties.delivery_mode(), Some(2));
        let id = letter.properties.message_id().clone().unwrap();
        let key = header(&letter, "x-routing-key").unwrap();
        let body = String::from_utf8(letter.data.clone()).unwrap();
        found.push((
            id.to_string(),
            key,
            body,
            header(&letter, "x-reason").unwrap(),
        ));
    }
    found.sort();
    let expected = expected.into_iter();
    let expected = expected.map(|(id, key, body, reason)| (id, key.to_owned(), body, reason));
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_dead_letter_keeps_all_properties_except_those_that_would_reroute_it() {
    let broker = TestBroker::declared().await;
    let mut headers = FieldTable::default();
    headers.insert("trace".into(), AMQPValue::LongString("t1".into()));
    // With this header the broker would route the dead letter to the queue again.
    let copies = vec![AMQPValue::LongString(broker.queue().into())];
    headers.insert("CC".into(), AMQPValue::FieldArray(FieldArray::from(copies)));
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_correlation_id("c1".into())
        .with_reply_to("r1".into())
        .with_message_id("m1".into())
        .with_type("t".into())
        .with_app_id("a1".into())
        .with_priority(3)
        .with_timestamp(1_700_000_000)
        .with_expiration("600000".into())
        .with_headers(headers);
    broker.publish_with("app.nothing", b"{}", properties).await;
    let _program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    let letter = broker.dead_letter().await;
    assert_eq!(header(&letter, "trace").as_deref(), Some("t1"));
    assert_eq!(
        header(&letter, "x-reason").as_deref(),
        Some("501 method不存在")
    );
    assert_eq!(
        letter.properties.headers().as_ref().unwrap().inner().len(),
        3
    );
    let expected = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_correlation_id("c1".into())
        .with_reply_to("r1".into())
        .with_message_id("m1".into())
        .with_type("t".into())
        .with_app_id("a1".into())
        .with_priority(3)
        .with_timestamp(1_700_000_000)
        .with_delivery_mode(2)
        .with_headers(letter.properties.headers().clone().unwrap());
    assert_eq!(letter.properties, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_dead_letter_drops_headers_that_are_too_large_for_the_broker() {
    let broker = TestBroker::declared().await;
    let mut headers = FieldTable::default();
    headers.insert(
        "big".into(),
        AMQPValue::LongString("x".repeat(130_000).into()),
    );
    let big = BasicProperties::default().with_headers(headers);
    broker.publish_with("app.nothing", b"{}", big).await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    let letter = broker.dead_letter().await;
    assert_eq!(header(&letter, "big"), None);
    assert_eq!(
        header(&letter, "x-routing-key").as_deref(),
        Some("app.nothing")
    );
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_deleted_dead_letter_queue_is_declared_again() {
    let broker = TestBroker::declared().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    wait_for_connections(&mut program, 1).await;
    broker.delete_queue(&broker.dead_queue()).await;
    broker
        .publish("app.nothing", &earn(UID, 1, "a"), "m1")
        .await;
    program.wait_for_log("dead-lettered").await;
    let letter = broker.dead_letter().await;
    assert_eq!(
        header(&letter, "x-reason").as_deref(),
        Some("501 method不存在")
    );
}

/// Two publishers that both number from 1 lose nothing; one that uses an id again for other content is told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn an_id_of_other_content_is_a_dead_letter_and_counted() {
    const METHOD: &str = "status.sports_envious.v2";
    let broker = TestBroker::declared().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    let publish = async |publisher: &str, envious: i64| {
        let properties = persistent()
            .with_message_id("1".into())
            .with_app_id(publisher.into());
        let body = format!(r#"{{"user_key":"a","envious":{envious}}}"#);
        broker
            .publish_with(METHOD, body.as_bytes(), properties)
            .await;
    };
    for (publisher, envious) in [("one", 100), ("two", 20), ("one", 3), ("two", 20)] {
        publish(publisher, envious).await;
    }
    let letter = broker.dead_letter().await;
    let reason = header(&letter, "x-reason");
    assert_eq!(reason.as_deref(), Some("412 message_id已被使用"));
    assert_eq!(letter.data, br#"{"user_key":"a","envious":3}"#);
    let client = program.client();
    for (code, count) in [(412, 1), (200, 3)] {
        let line =
            format!(r#"pointgate_messages_total{{method="{METHOD}",code="{code}"}} {count}"#);
        wait_for_metric(&client, &line).await;
    }
    let all = [("method", METHOD), ("user_key", "a"), ("envious", "-1")];
    assert_eq!(client.call_ok(&all).await["diamonds"], 119);
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}
