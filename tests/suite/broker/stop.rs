//! A stop: what was taken is finished and acknowledged, the rest stays the broker's.

use super::test_broker::{EARN, TestBroker, earn};
use crate::ledger::write_load::history;
use crate::program::{CONFIG, Program, ProgramDir};

const UIDS: [&str; 3] = ["50030001", "50030002", "50030003"];
const EACH: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn sigterm_finishes_what_was_taken_and_leaves_the_rest() {
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
    assert!(left > 0, "it stopped when all was over");
    assert_eq!(dead, 0);
    // Without the broker, so that only what had counted is there.
    dir.write("gateway.toml", CONFIG);
    program.restart().await;
    let client = program.client();
    let mut rows = 0;
    for uid in UIDS {
        rows += history(&client, uid).await.len();
    }
    // What counted and was not acknowledged would be among both.
    assert_eq!(rows + usize::try_from(left).unwrap(), all);
    program.audit();
}
