//! A change that does not find its row fails the batch: nothing of it is committed.

use pointgate::clock::Clock;
use pointgate::ledger::book::transaction::{AccountKey, NEVER, Posting, PostingKind, Reason};
use pointgate::ledger::database::Database;
use pointgate::ledger::{ApplyError, Ledger, Settings};
use sea_orm::ConnectionTrait;

use crate::database::{Home, databases};

/// Deletes an account's lots while a batch is written, after its entry was inserted and before its lots are changed.
const SQLITE: [&str; 1] =
    ["CREATE TRIGGER vanish AFTER INSERT ON entry BEGIN DELETE FROM lot; END"];
const POSTGRES: [&str; 2] = [
    "CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS \
     'BEGIN DELETE FROM lot; RETURN NULL; END'",
    "CREATE TRIGGER vanish AFTER INSERT ON entry FOR EACH ROW EXECUTE FUNCTION vanish()",
];
const MARIADB: [&str; 1] =
    ["CREATE TRIGGER vanish AFTER INSERT ON entry FOR EACH ROW DELETE FROM lot"];

fn account() -> AccountKey {
    AccountKey {
        owner: "uid:1".to_owned(),
        asset: "coin".to_owned(),
    }
}

fn posting(kind: PostingKind) -> Posting {
    Posting {
        account: account(),
        kind,
        reason: Reason(18),
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    }
}

async fn execute(database: &Database, statements: &[&str]) {
    for statement in statements {
        let done = database.read().execute_unprepared(statement).await;
        done.expect(statement);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_that_vanishes_fails_the_batch() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let settings = Settings {
            queue: 10,
            batch: 10,
            writers: 0,
            expiry_reason: Reason(16),
        };
        let ledger = Ledger::open(&home.url, settings, Clock::system());
        let ledger = ledger.await.unwrap();
        let expires_at = NEVER;
        let earn = |amount| posting(PostingKind::Earn { amount, expires_at });
        let spend = |amount| {
            let order = None;
            posting(PostingKind::Spend { amount, order })
        };
        assert_eq!(ledger.post(earn(10)).await.unwrap().balance, 10, "{name}");
        let database = Database::open(&home.url, 1).await.unwrap();
        let (create, drop): (&[&str], _) = match name {
            "SQLite" => (&SQLITE, "DROP TRIGGER vanish"),
            "PostgreSQL" => (&POSTGRES, "DROP TRIGGER vanish ON entry"),
            _ => (&MARIADB, "DROP TRIGGER vanish"),
        };
        execute(&database, create).await;
        // One changes its lot, the other empties and deletes it.
        for amount in [4, 10] {
            let done = ledger.post(spend(amount)).await;
            assert_eq!(done, Err(ApplyError::Unavailable), "{amount} on {name}");
            assert_eq!(ledger.balance(account()).await, Ok(Some(10)), "{name}");
        }
        execute(&database, &[drop]).await;
        let report = ledger.audit(|_, _| {}).await.unwrap();
        assert_eq!((report.entries, report.points), (1, 10), "{name}");
        assert_eq!(ledger.post(spend(4)).await.unwrap().balance, 6, "{name}");
        database.close().await.unwrap();
        ledger.close().await;
    }
}
