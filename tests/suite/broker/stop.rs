//! On a stop the program finishes and acknowledges the messages it has taken; the others stay in the queue.

use super::test_broker::{EARN, TestBroker, earn};
use crate::ledger::write_load::history;
use crate::program::{CONFIG, Program, ProgramDir};

const UIDS: [&str; 3] = ["50030001", "50030002", "50030003"];
const EACH: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn sigterm_finishes_accepted_messages_and_leaves_the_others() {
    let broker = TestBroker::declared().await;
    let all = UIDS.len() * EACH;
    for i in 0..all {
        let reference = format!("s{i}");
        broker
            .publish(EARN, &earn(UIDS[i % 3], 1, &reference), &reference)
            .await;
    }
    let dir = ProgramDir::with_config(&broker.config());
    let mut program = Program::start(&dir, &[]).await;
    broker
        .wait_until_at_most(u32::try_from(all).unwrap() - 400)
        .await;
    assert_eq!(
        program.terminate().await.code(),
        Some(0),
        "{}",
        program.log()
    );
    let log = program.log();
    assert!(log.trim_end().ends_with("stopped"), "{log}");
    assert!(!log.contains("ERROR"), "{log}");

    let (left, dead) = broker.remaining().await;
    assert!(left > 0, "it stopped after the last message");
    assert_eq!(dead, 0);
    // Restart without the broker, so that nothing more is consumed.
    dir.write("gateway.toml", CONFIG);
    program.restart().await;
    let client = program.client();
    let mut rows = 0;
    for uid in UIDS {
        rows += history(&client, uid).await.len();
    }
    // A message that counted without being acknowledged would be in both numbers.
    assert_eq!(rows + usize::try_from(left).unwrap(), all);
    program.audit();
}
