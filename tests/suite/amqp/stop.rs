//! A stop: what was taken is finished and acknowledged, the rest stays the broker's.

use super::broker::{Broker, EARN, earn};
use crate::ledger::load::history;
use crate::program::{CONFIG, Place, Program};

const UIDS: [&str; 3] = ["50030001", "50030002", "50030003"];
const EACH: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn sigterm_finishes_what_was_taken_and_leaves_the_rest() {
    let broker = Broker::declared().await;
    let all = UIDS.len() * EACH;
    for i in 0..all {
        let reference = format!("s{i}");
        broker
            .publish(EARN, &earn(UIDS[i % 3], 1, &reference), &reference)
            .await;
    }
    let place = Place::with(&broker.config());
    let mut program = Program::start(&place, &[]).await;
    broker.at_most(u32::try_from(all).unwrap() - 400).await;
    assert_eq!(
        program.terminate().await.code(),
        Some(0),
        "{}",
        program.log()
    );
    let log = program.log();
    assert!(log.trim_end().ends_with("stopped"), "{log}");
    assert!(!log.contains("ERROR"), "{log}");

    let (left, dead) = broker.left().await;
    assert!(left > 0, "it stopped when all was over");
    assert_eq!(dead, 0);
    // Without the broker, so that only what had counted is there.
    place.write("gateway.toml", CONFIG);
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
