//! What may wait is one number, however many writers there are and however few of them have anything to do.

use futures_util::future::join_all;

use super::{Home, databases};
use crate::clock::Clock;
use crate::ledger::book::tests::{EXPIRED, account, posting};
use crate::ledger::book::transaction::{NEVER, Posting, PostingKind};
use crate::ledger::{ApplyError, Ledger, Settings};

#[tokio::test]
async fn as_many_wait_as_may() {
    const QUEUE: u8 = 8;
    for (name, server) in databases() {
        let home = Home::on(server);
        let settings = Settings {
            queue: QUEUE.into(),
            batch: 3,
            writers: if server.is_some() { 4 } else { 1 },
            expiry_reason: EXPIRED,
        };
        let ledger = Ledger::open(&home.url, settings, Clock::system())
            .await
            .unwrap();
        for _ in 0..2 {
            // All ask before a writer, which has the same thread, takes the first.
            let answers = join_all((0..QUEUE + 5).map(|n| ledger.post(earn(n)))).await;
            let mut answers = answers.into_iter();
            for n in 0..QUEUE {
                let answer = answers.next().unwrap();
                assert!(answer.is_ok(), "{n} in {name}: {answer:?}");
            }
            let others: Vec<_> = answers.collect();
            assert_eq!(others, [Err(ApplyError::Busy); 5], "{name}");
        }
        ledger.close().await;
        assert_eq!(
            ledger.post(earn(0)).await,
            Err(ApplyError::Unavailable),
            "{name}"
        );
    }
}

/// Somebody's posting.
fn earn(n: u8) -> Posting {
    let (amount, expires_at) = (5, NEVER);
    posting(account(n), PostingKind::Earn { amount, expires_at })
}
