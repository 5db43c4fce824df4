//! `kill -9` in the middle of a stream of messages.

use std::collections::BTreeMap;

use super::test_broker::{EARN, TestBroker, earn, wait_for_total};
use crate::ledger::write_load::history;
use crate::program::{Program, ProgramDir};

const MESSAGES: u32 = 2000;
const USERS: u32 = 20;
/// The numbers of waiting messages at which the program is killed.
const KILLED_AT: [u32; 3] = [1500, 1000, 500];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn kills_lose_no_message_and_count_none_twice() {
    let broker = TestBroker::declared().await;
    let mut expected: BTreeMap<String, (i64, usize)> = BTreeMap::new();
    for i in 0..MESSAGES {
        let (uid, num) = ((50030000 + i % USERS).to_string(), i64::from(1 + i % 7));
        let reference = format!("m{i}");
        broker
            .publish(EARN, &earn(&uid, num, &reference), &reference)
            .await;
        let of_user = expected.entry(uid).or_default();
        *of_user = (of_user.0 + num, of_user.1 + 1);
    }
    assert_eq!(broker.waiting(&broker.queue()).await, MESSAGES);
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    for waiting in KILLED_AT {
        broker.wait_until_at_most(waiting).await;
        program.kill();
        let left = broker.waiting(&broker.queue()).await;
        assert!(left > 0, "it was killed after the last message");
        program.restart().await;
    }
    let client = program.client();
    for (uid, (coins, messages)) in &expected {
        wait_for_total(&client, uid, *coins).await;
        assert_eq!(history(&client, uid).await.len(), *messages);
    }
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
    program.audit();
}
