//! Purging: nonces and daily-limit slots go when their time is over, and not before.

use pointgate::clock::Clock;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Action, Limit, NEVER, Nonce, Posting, PostingKind, Transaction,
};
use pointgate::ledger::{Ledger, Settings};
use pointgate::points::{EXPIRED, REWARD};

use crate::database::{Home, databases};

const NOW: i64 = 1_779_247_832_000;
/// The end of the limits' day (ms).
const END: i64 = NOW + 1000;

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_purged_after_its_day() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let settings = Settings {
            queue: 100,
            batch: 10,
            writers: 0,
            expiry_reason: EXPIRED,
        };
        let ledger = Ledger::open(&home.url, settings, Clock::new(|| NOW)).await;
        let ledger = ledger.unwrap();
        for n in 0..5 {
            // Three of them score, and take a slot each.
            let applied = ledger.apply(like(n)).await.unwrap();
            assert_eq!(applied.action.unwrap().scored, n < 3, "{n} in {name}");
        }
        assert_eq!(ledger.purge(END).await, Ok(0), "{name}");
        let nonce = Transaction {
            nonce: Some(Nonce {
                at: END,
                key: Key::of(&["nonce"]),
                fingerprint: None,
            }),
            ..Transaction::default()
        };
        ledger.apply(nonce.clone()).await.unwrap();
        assert_eq!(ledger.purge(END + 1).await, Ok(3 + 1), "{name}");
        assert_eq!(ledger.purge(END + 1).await, Ok(0), "{name}");
        assert!(ledger.apply(nonce).await.is_ok(), "{name}");
        // The limit holds by the recorded actions, also without the slots.
        let applied = ledger.apply(like(5)).await.unwrap();
        assert!(!applied.action.unwrap().scored, "{name}");
        ledger.close().await;
    }
}

/// The n-th action of a member who may score three times.
fn like(n: u8) -> Transaction {
    let token = n.to_string();
    let posting = Posting {
        account: AccountKey {
            owner: "key:a".into(),
            asset: "score1".into(),
        },
        kind: PostingKind::Earn {
            amount: 1,
            expires_at: NEVER,
        },
        reason: REWARD,
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    };
    Transaction {
        action: Some(Action {
            key: Key::of(&["action", &token]),
            token,
            owner: "key:a".into(),
            name: "like".into(),
            other: None,
            object: None,
            limit: Some(Limit {
                most: 3,
                from: NOW - 1000,
                until: END,
            }),
        }),
        ..Transaction::of(posting)
    }
}
