//! When keys were last used: the latest time of all instances counts, and the first one notes since when.

use pointgate::clock::Clock;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::upkeep::key_uses::LastUse;
use pointgate::ledger::{Ledger, Settings};
use pointgate::points::EXPIRED;

use crate::database::{Home, databases};

fn used(name: &str, since: i64, used_at: Option<i64>) -> LastUse {
    LastUse {
        key: Key::of(&[name]),
        since,
        used_at,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_use_counts() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let settings = Settings {
            queue: 100,
            batch: 10,
            writers: 0,
            expiry_reason: EXPIRED,
        };
        let ledger = Ledger::open(&home.url, settings, Clock::new(|| 1)).await;
        let ledger = ledger.unwrap();
        let known = async || {
            let mut uses = ledger
                .key_uses(&["a", "b", "c"].map(|name| Key::of(&[name])))
                .await
                .unwrap();
            uses.sort_by_key(|used| (used.since, used.used_at));
            uses
        };
        assert_eq!(known().await, [], "{name}");
        ledger.note_key_uses(&[]).await.unwrap();
        let first = [used("a", 1, None), used("b", 2, Some(20))];
        ledger.note_key_uses(&first).await.unwrap();
        assert_eq!(known().await, first, "{name}");
        // Another instance saw one of them earlier, the other one later, and starts later.
        let second = [used("a", 7, Some(10)), used("b", 7, Some(19))];
        ledger.note_key_uses(&second).await.unwrap();
        let expected = [used("a", 1, Some(10)), used("b", 2, Some(20))];
        assert_eq!(known().await, expected, "{name}");
        let third = [used("b", 9, Some(21)), used("c", 9, None)];
        ledger.note_key_uses(&third).await.unwrap();
        ledger.note_key_uses(&third).await.unwrap();
        let expected = [expected[0], used("b", 2, Some(21)), third[1]];
        assert_eq!(known().await, expected, "{name}");
        // More than one statement takes.
        let many: Vec<LastUse> = (0..450).map(|i| used(&i.to_string(), 1, Some(i))).collect();
        ledger.note_key_uses(&many).await.unwrap();
        let keys: Vec<Key> = many.iter().map(|used| used.key).collect();
        assert_eq!(ledger.key_uses(&keys).await.unwrap().len(), 450, "{name}");
        ledger.close().await;
    }
}
