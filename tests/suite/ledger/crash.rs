//! A crash: `kill -9` in the middle of many writes, again and again on the same ledger.

use super::load::{Load, Sent, Told, check, send_again};
use crate::program::{Client, Program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_crashes_lose_nothing_and_count_nothing_twice() {
    let mut program = Program::new().await;
    let mut sent = Vec::new();
    for round in 0..5 {
        let load = Load::start(&program.client(), &format!("r{round}"), 24, 60);
        load.acknowledged(50 + 150 * round).await;
        program.kill9();
        let last = load.end().await;
        let cut = last.iter().filter(|one| one.told == Told::Nothing).count();
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

async fn repeat_what_was_acknowledged(client: &Client, sent: &[Sent]) {
    let done = sent
        .iter()
        .filter(|one| matches!(one.told, Told::Done(_)))
        .collect::<Vec<_>>();
    let writes = done.iter().map(|one| one.write.clone()).collect();
    let now = send_again(client, writes).await;
    assert_eq!(now.len(), done.len());
    for (one, now) in done.iter().zip(now) {
        assert_eq!(one.told, now, "{:?} again", one.write);
    }
}

/// As a client does that had no answer; afterwards it knows.
async fn finish_what_was_cut_off(client: &Client, sent: &mut [Sent]) {
    let mut cut: Vec<&mut Sent> = sent
        .iter_mut()
        .filter(|one| one.told == Told::Nothing)
        .collect();
    let writes = cut.iter().map(|one| one.write.clone()).collect();
    let now = send_again(client, writes).await;
    for (one, now) in cut.iter_mut().zip(now) {
        assert_ne!(now, Told::Nothing, "{:?}", one.write);
        one.told = now;
    }
}
