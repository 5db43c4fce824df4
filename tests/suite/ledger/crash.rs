//! A crash: `kill -9` in the middle of many writes, again and again on the same ledger.

use super::write_load::{Load, check, repeat_acknowledged, resolve_unknown};
use crate::program::Program;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_crashes_lose_nothing_and_count_nothing_twice() {
    let mut program = Program::new().await;
    let mut sent = Vec::new();
    for round in 0..5 {
        let load = Load::start(&program.client(), &format!("r{round}"), 24, 60);
        load.wait_for_acknowledged(50 + 150 * round).await;
        program.kill();
        let last = load.join().await;
        let cut = last.iter().filter(|one| one.outcome.is_unknown()).count();
        assert!(cut > 0, "round {round}: it was killed when all was over");
        sent.extend(last);

        program.restart().await;
        program.audit();
        let client = program.client();
        let rows = check(&client, &sent).await;
        repeat_acknowledged(&client, &sent).await;
        assert_eq!(check(&client, &sent).await, rows, "a retry changed rows");
        resolve_unknown(&client, &mut sent).await;
        check(&client, &sent).await;
        program.audit();
    }
}
