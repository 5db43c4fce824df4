//! A crash: `kill -9` in the middle of many writes, again and again on the same ledger.

use super::load::{Load, check, finish_what_was_cut_off, repeat_what_was_acknowledged};
use crate::program::Program;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_crashes_lose_nothing_and_count_nothing_twice() {
    let mut program = Program::new().await;
    let mut sent = Vec::new();
    for round in 0..5 {
        let load = Load::start(&program.client(), &format!("r{round}"), 24, 60);
        load.acknowledged(50 + 150 * round).await;
        program.kill9();
        let last = load.end().await;
        let cut = last.iter().filter(|one| one.told.is_open()).count();
        assert!(cut > 0, "round {round}: it was killed when all was over");
        sent.extend(last);

        program.restart().await;
        program.audit();
        let client = program.client();
        let rows = check(&client, &sent).await;
        repeat_what_was_acknowledged(&client, &sent).await;
        assert_eq!(check(&client, &sent).await, rows, "a retry changed rows");
        finish_what_was_cut_off(&client, &mut sent).await;
        check(&client, &sent).await;
        program.audit();
    }
}
