//! The queue's length bounds the transactions that wait, however many writers there are and however few of them are busy.

use futures_util::future::join_all;
use pointgate::clock::Clock;
use pointgate::ledger::book::transaction::{AccountKey, NEVER, Posting, PostingKind, Reason};
use pointgate::ledger::{ApplyError, Ledger, Settings};
use pointgate::points::EXPIRED;

use crate::database::{Home, databases};

#[tokio::test]
async fn a_full_queue_is_busy() {
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
            // All ask before a writer, which runs on the same thread, takes the first one.
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

/// A posting for the n-th user.
fn earn(n: u8) -> Posting {
    Posting {
        account: AccountKey {
            owner: format!("uid:{n}"),
            asset: "coin".into(),
        },
        kind: PostingKind::Earn {
            amount: 5,
            expires_at: NEVER,
        },
        reason: Reason(18),
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    }
}
