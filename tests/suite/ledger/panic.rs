//! A panic in a task of the ledger's fails what the task has in hand, and nothing that comes later.

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use pointgate::clock::Clock;
use pointgate::ledger::book::transaction::{AccountKey, NEVER, Posting, PostingKind, Reason};
use pointgate::ledger::{ApplyError, Ledger, ReadError, Settings};

use crate::database::{Home, databases};

fn account(n: u8) -> AccountKey {
    AccountKey {
        owner: format!("uid:{n}"),
        asset: "coin".to_owned(),
    }
}

fn earn(n: u8) -> Posting {
    let (amount, expires_at) = (10, NEVER);
    Posting {
        account: account(n),
        kind: PostingKind::Earn { amount, expires_at },
        reason: Reason(18),
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    }
}

/// A ledger whose clock, which its writers and readers ask in the middle of their work, panics on demand.
struct Shaky {
    ledger: Ledger,
    panics: Arc<AtomicBool>,
    _home: Home,
}

impl Shaky {
    async fn on(server: Option<&str>) -> Shaky {
        let home = Home::on(server);
        let panics = Arc::new(AtomicBool::new(false));
        let asked = panics.clone();
        let clock = Clock::new(move || match asked.load(Ordering::SeqCst) {
            true => panic_any("the clock broke"),
            false => 1000,
        });
        let settings = Settings {
            queue: 100,
            batch: 10,
            writers: 0,
            expiry_reason: Reason(16),
        };
        let ledger = Ledger::open(&home.url, settings, clock).await.unwrap();
        Shaky {
            ledger,
            panics,
            _home: home,
        }
    }

    fn set_panics(&self, panics: bool) {
        self.panics.store(panics, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_panics_fails_its_batch_alone() {
    for (name, server) in databases() {
        let shaky = Shaky::on(server).await;
        let ledger = &shaky.ledger;
        for round in 1..4 {
            shaky.set_panics(true);
            let failed = join_all((0..30).map(|n| ledger.post(earn(n)))).await;
            assert_eq!(failed, [Err(ApplyError::Unavailable); 30], "{name}");
            shaky.set_panics(false);
            assert!(ledger.ready().await, "{name}");
            let posted = join_all((0..30).map(|n| ledger.post(earn(n)))).await;
            for posted in posted {
                assert_eq!(posted.unwrap().balance, round * 10, "{name}");
            }
        }
        let report = ledger.audit(|_, _| {}).await.unwrap();
        assert_eq!((report.entries, report.points), (90, 900), "{name}");
        // A writer that has panicked also stops when it is told to, after it has done what is queued.
        let (last, ()) = tokio::join!(ledger.post(earn(0)), ledger.close());
        assert_eq!(last.unwrap().balance, 40, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_panics_fails_its_readers_alone() {
    for (name, server) in databases() {
        let shaky = Shaky::on(server).await;
        let ledger = &shaky.ledger;
        ledger.post(earn(1)).await.unwrap();
        for _ in 0..3 {
            shaky.set_panics(true);
            let failed = join_all((0..30).map(|_| ledger.balance(account(1)))).await;
            assert_eq!(failed, [Err(ReadError::Unavailable); 30], "{name}");
            shaky.set_panics(false);
            assert_eq!(ledger.balance(account(1)).await, Ok(Some(10)), "{name}");
        }
        ledger.close().await;
    }
}
