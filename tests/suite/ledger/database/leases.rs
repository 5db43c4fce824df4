//! The lease of a work that is longer than a transaction.

use pointgate::ledger::database::Database;
use pointgate::ledger::database::lease::{EXPIRY, Lease};
use sea_orm::ConnectionTrait;

use crate::database::{Home, databases};

/// Two instances on one database.
async fn open(home: &Home) -> [Database; 2] {
    let one = Database::open(&home.url, 1).await.unwrap();
    let other = Database::open(&home.url, 1).await.unwrap();
    [one, other]
}

async fn close(instances: [Database; 2]) {
    for instance in instances {
        instance.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_holder_has_it_until_it_gives_it_back() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let instances = open(&home).await;
        let [one, other] = instances.each_ref().map(|db| Lease::new(db, EXPIRY));
        for _ in 0..2 {
            assert!(one.take().await.unwrap(), "{name}: taken, then renewed");
            assert!(!other.take().await.unwrap(), "{name}");
        }
        // What somebody else has cannot be given back.
        let third = Lease::new(&instances[1], EXPIRY);
        third.release().await.unwrap();
        assert!(!other.take().await.unwrap(), "{name}");
        one.release().await.unwrap();
        assert!(other.take().await.unwrap(), "{name}");
        close(instances).await;
    }
}

/// A holder that stood still for longer than its lease has it no more, and one whose lease is of a clock that was set back neither.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_by_the_databases_clock() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let instances = open(&home).await;
        let now = instances[0].backend().now;
        for ends_at in ["0", now, "9223372036854775807"] {
            let [one, other] = instances.each_ref().map(|db| Lease::new(db, EXPIRY));
            assert!(one.take().await.unwrap(), "{name}, {ends_at}");
            let over = format!("UPDATE lease SET ends_at = {ends_at}");
            let db = instances[0].begin_write().await.unwrap();
            db.execute_unprepared(&over).await.unwrap();
            db.commit().await.unwrap();
            assert!(other.take().await.unwrap(), "{name}, {ends_at}");
            assert!(!one.take().await.unwrap(), "{name}, {ends_at}");
            other.release().await.unwrap();
        }
        close(instances).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_gets_it_when_it_is_free() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let instances = open(&home).await;
        let [one, other] = instances.each_ref().map(|db| Lease::new(db, EXPIRY));
        one.hold().await.unwrap();
        let (held, released) = tokio::join!(other.hold(), one.release());
        held.unwrap();
        released.unwrap();
        assert!(other.take().await.unwrap(), "{name}");
        close(instances).await;
    }
}

/// Its clock is the time of the database's machine, which is this one.
#[tokio::test(flavor = "multi_thread")]
async fn the_databases_clock_is_a_clock() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let instances = open(&home).await;
        let db = instances[0].read();
        let select = format!("SELECT {} AS now", instances[0].backend().now);
        let select = sea_orm::Statement::from_string(db.get_database_backend(), select);
        let mut last = jiff::Timestamp::now().as_millisecond() - 1;
        for _ in 0..3 {
            let row = db.query_one_raw(select.clone()).await.unwrap().unwrap();
            let now: i64 = row.try_get_by_index(0).unwrap();
            assert!(now >= last, "{name}: {now} after {last}");
            last = now;
        }
        assert!(
            last <= jiff::Timestamp::now().as_millisecond() + 1,
            "{name}"
        );
        close(instances).await;
    }
}
