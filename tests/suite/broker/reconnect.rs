//! The broker is unreachable, at the start or later: the program serves, reconnects, and neither loses nor repeats a message.

use super::proxy::Proxy;
use super::test_broker::{
    EARN, TestBroker, earn, wait_for_connections, wait_for_metric, wait_for_total,
};
use crate::ledger::write_load::history;
use crate::program::{Program, ProgramDir};

const UID: &str = "50030199";
const ROUNDS: u32 = 4;
const EACH: u32 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn the_program_serves_without_the_broker_and_connects_later() {
    let broker = TestBroker::declared().await;
    let proxy = Proxy::cut_off().await;
    broker.publish(EARN, &earn(UID, 7, "a"), "a").await;
    let dir = ProgramDir::with_config(&broker.config_with_url(&proxy.url));
    let mut program = Program::start(&dir, &[]).await;
    program.wait_for_log("cannot reach the broker").await;
    assert_eq!(program.client().total(UID).await, 0);
    wait_for_metric(&program.client(), "pointgate_broker_consuming 0").await;
    proxy.restore();
    wait_for_total(&program.client(), UID, 7).await;
    wait_for_metric(&program.client(), "pointgate_broker_consuming 1").await;
    proxy.cut();
    wait_for_metric(&program.client(), "pointgate_broker_consuming 0").await;
    proxy.restore();
    wait_for_metric(&program.client(), "pointgate_broker_consuming 1").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn a_lost_connection_loses_no_message_and_counts_none_twice() {
    let broker = TestBroker::declared().await;
    let proxy = Proxy::cut_off().await;
    proxy.restore();
    let dir = ProgramDir::with_config(&broker.config_with_url(&proxy.url));
    let mut program = Program::start(&dir, &[]).await;
    let client = program.client();
    let uid = |i: u32| (50030000 + i % 5).to_string();
    for round in 0..ROUNDS {
        let times = usize::try_from(round).unwrap() + 1;
        wait_for_connections(&mut program, times).await;
        for i in 0..EACH {
            let reference = format!("r{round}-{i}");
            broker
                .publish(EARN, &earn(&uid(i), 3, &reference), &reference)
                .await;
            if i == EACH / 2 {
                proxy.cut();
            }
        }
        assert!(broker.waiting(&broker.queue()).await > 0);
        proxy.restore();
    }
    for i in 0..5 {
        wait_for_total(&client, &uid(i), i64::from(3 * ROUNDS * EACH / 5)).await;
        let rows = usize::try_from(ROUNDS * EACH / 5).unwrap();
        assert_eq!(history(&client, &uid(i)).await.len(), rows);
    }
    let log = program.log();
    let lost = log.matches("lost the connection to the broker").count();
    assert_eq!(lost, usize::try_from(ROUNDS).unwrap(), "{log}");
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
    program.audit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn the_program_stops_in_time_while_the_broker_is_unreachable() {
    let broker = TestBroker::new().await;
    let proxy = Proxy::cut_off().await;
    let dir = ProgramDir::with_config(&broker.config_with_url(&proxy.url));
    let mut program = Program::start(&dir, &[]).await;
    program.wait_for_log("cannot reach the broker").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert!(
        program.log().trim_end().ends_with("stopped"),
        "{}",
        program.log()
    );
}
