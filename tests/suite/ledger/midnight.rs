//! A request that arrives at two instances on both sides of midnight counts once, on each database.

use pointgate::clock::Clock;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Idempotency, NEVER, Posting, PostingKind, Reason, Transaction,
};
use pointgate::ledger::{Ledger, Settings};
use pointgate::points::EXPIRED;

use crate::database::{Home, databases};

/// The number of requests for accounts that are new, and for one account.
const TIMES: usize = 40;

async fn open(url: &str, now: i64) -> Ledger {
    let settings = Settings {
        queue: 1000,
        batch: 16,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    let clock = Clock::new(move || now);
    Ledger::open(url, settings, clock).await.unwrap()
}

/// A check-in on a day, which may have been counted a day before or after it.
fn check_in(owner: &str, place: &str, day: i64) -> Transaction {
    let key = |day: i64| Key::of(&[owner, place, &day.to_string()]);
    let posting = Posting {
        account: AccountKey {
            owner: owner.to_owned(),
            asset: "coin".to_owned(),
        },
        kind: PostingKind::Earn {
            amount: 10,
            expires_at: NEVER,
        },
        reason: Reason(17),
        idempotency: Some(Idempotency {
            key: key(day),
            fingerprint: Key::of(&["10", "id"]),
        }),
        requires: None,
        reference: Some(place.to_owned()),
        message: None,
        operator: None,
    };
    Transaction {
        earlier_keys: vec![key(day - 1), key(day + 1)],
        ..Transaction::of(posting)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_on_both_sides_of_midnight_counts_once() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let before = open(&home.url, 86_399_999).await;
        let after = open(&home.url, 86_400_000).await;
        for i in 0..2 * TIMES {
            let owner = match i < TIMES {
                true => format!("uid:{i}"),
                false => "uid:0".to_owned(),
            };
            let place = format!("place {i}");
            let (a, b) = tokio::join!(
                before.post(check_in(&owner, &place, 1)),
                after.post(check_in(&owner, &place, 2))
            );
            let (a, b) = (a.unwrap(), b.unwrap());
            assert_eq!(a.balance, b.balance, "{name} {i}");
            assert_ne!(a.repeated, b.repeated, "{name} {i}");
            let again = after.post(check_in(&owner, &place, 2)).await.unwrap();
            assert!(again.repeated, "{name} {i}");
        }
        let first = AccountKey {
            owner: "uid:0".to_owned(),
            asset: "coin".to_owned(),
        };
        let balance = after.balance(first).await.unwrap();
        assert_eq!(balance, Some(10 * (1 + TIMES as i64)), "{name}");
        after.audit(|_, _| {}).await.unwrap();
        before.close().await;
        after.close().await;
    }
}
