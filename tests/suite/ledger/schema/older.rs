//! Ledgers of older programs, which migrate to the schema of new ones.

use std::time::Duration;

use entity::{entry, payment};
use pointgate::ledger::database::Database;
use pointgate::ledger::database::backend::{Backend, SchemaLock};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DbBackend, EntityTrait, QueryOrder, Statement,
    TransactionTrait,
};

use super::rules::{Constraint, ROWS};
use super::{execute, is};
use crate::database::{Home, MARIADB, POSTGRES, databases};

/// MariaDB's older tables took names that differ only in trailing blanks for one; migrated, they tell them apart.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn an_older_ledger_compares_byte_by_byte() {
    let home = Home::on(Some(MARIADB));
    let database = Database::open(&home.url, 1).await.unwrap();
    let db = database.begin_write().await.unwrap();
    let padded = "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    for table in ["account", "identity"] {
        let older = format!("ALTER TABLE {table} {padded}");
        db.execute_unprepared(&older).await.unwrap();
    }
    let done = "DELETE FROM seaql_migrations WHERE version = 'm20261125_000006_bytewise'";
    execute(&db, done).await.unwrap();
    execute(&db, ROWS[0]).await.unwrap();
    let blank = ROWS[0].replace("'uid:1'", "'uid:1 '");
    let one = execute(&db, &blank).await.unwrap_err();
    assert!(is(Constraint::Unique, &one), "{one}");
    db.commit().await.unwrap();
    database.close().await.unwrap();

    let database = Database::open(&home.url, 1).await.unwrap();
    let db = database.begin_write().await.unwrap();
    execute(&db, &blank).await.unwrap();
    let owners = "SELECT COUNT(*) FROM account WHERE owner = 'uid:1'";
    let owners = Statement::from_string(DbBackend::MySql, owners);
    let owners = db.query_one_raw(owners).await.unwrap().unwrap();
    assert_eq!(owners.try_get_by_index::<i64>(0).unwrap(), 1);
    db.rollback().await.unwrap();
    database.close().await.unwrap();
}

/// The record that a retry finds moves from a table of its own into the entry, wherever a try before was cut off.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_ledger_keeps_its_idempotency_records() {
    const BEFORE: usize = 6;
    const ENTRIES: &str = "INSERT INTO entry (account_id, seq, at, kind, amount, balance_after, counter, direction, \
        direction_seq, hash, guard_key) VALUES (1, 1, 0, 18, 5, 5, 'issued', 1, 1, {x:02}, {x:01}), \
        (1, 2, 0, 16, -2, 3, 'lapsed', 2, 1, {x:03}, NULL)";
    const REFERENCE: &str = "INSERT INTO reference (reference_key, content_key, account_id, seq, balance_after) \
        VALUES ({x:01}, {x:04}, 1, 1, 3)";
    for (name, server) in databases() {
        let home = Home::on(server);
        let file = home.url.replace(".db", ".db?mode=rwc");
        let db = sea_orm::Database::connect(file).await.unwrap();
        migration::up_to(&db, BEFORE).await.unwrap();
        for row in [ROWS[0], ENTRIES, REFERENCE] {
            execute(&db, row).await.unwrap();
        }
        // Only MySQL commits a step without those after it.
        if db.get_database_backend() == DbBackend::MySql {
            let first = "ALTER TABLE entry ADD COLUMN content_key binary(16) NULL, ADD COLUMN answered bigint NULL";
            db.execute_unprepared(first).await.unwrap();
            migration::up_to(&db, BEFORE + 1).await.unwrap();
            // All steps are done, and the migration is not recorded.
            let last = "DELETE FROM seaql_migrations WHERE version = 'm20261125_000007_guard'";
            execute(&db, last).await.unwrap();
        }
        db.close().await.unwrap();
        assert_moved(&home, name).await;
    }
}

async fn assert_moved(home: &Home, name: &str) {
    let database = Database::open(&home.url, 1).await.unwrap();
    let db = database.read();
    let entries = entry::Entity::find().order_by_asc(entry::Column::Seq);
    let entries = entries.all(db).await.unwrap().into_iter();
    let records = entries.map(|row| {
        (
            row.idempotency_key,
            row.fingerprint,
            row.idempotency_balance,
        )
    });
    let record = (Some(vec![1; 16]), Some(vec![4; 16]), Some(3));
    assert_eq!(
        records.collect::<Vec<_>>(),
        [record, (None, None, None)],
        "{name}"
    );
    let gone = db.execute_unprepared("SELECT 1 FROM reference").await;
    assert!(gone.is_err(), "{name}");
    database.close().await.unwrap();
}

/// The events of payments of an older ledger get the charges that they are known to be about, wherever a try before was cut off.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_ledger_keeps_its_payments() {
    const BEFORE: usize = 11;
    const EVENTS: &str = "INSERT INTO payment (event_id, charge_id, kind, at) \
        VALUES ('e1', 'c1', 'charge.succeeded', 0), ('e2', NULL, 'refund.succeeded', 0)";
    for (name, server) in databases() {
        let home = Home::on(server);
        let file = home.url.replace(".db", ".db?mode=rwc");
        let db = sea_orm::Database::connect(file).await.unwrap();
        migration::up_to(&db, BEFORE).await.unwrap();
        execute(&db, EVENTS).await.unwrap();
        // Only MySQL commits a step without those after it.
        if db.get_database_backend() == DbBackend::MySql {
            let first = "ALTER TABLE payment ADD COLUMN subject varchar(128) NOT NULL DEFAULT ''";
            db.execute_unprepared(first).await.unwrap();
            migration::up(&db).await.unwrap();
            // All steps are done, and the migration is not recorded.
            let last = "DELETE FROM seaql_migrations WHERE version LIKE '%payment_subject'";
            execute(&db, last).await.unwrap();
        }
        db.close().await.unwrap();
        let database = Database::open(&home.url, 1).await.unwrap();
        let events = payment::Entity::find().order_by_asc(payment::Column::EventId);
        let events = events.all(database.read()).await.unwrap().into_iter();
        let subjects: Vec<_> = events.map(|it| (it.subject, it.subject_seq)).collect();
        assert_eq!(subjects, [("c1".into(), 0), ("e2".into(), 0)], "{name}");
        database.close().await.unwrap();
    }
}

/// An instance that starts while another one migrates the schema waits for it, however long that takes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and MariaDB: tests/with_servers.sh"]
async fn an_instance_waits_for_a_migration() {
    for server in [POSTGRES, MARIADB] {
        let home = Home::on(Some(server));
        let backend = Backend::of_url(&home.url).unwrap();
        let (SchemaLock::Transaction(lock) | SchemaLock::Session(lock)) = backend.schema_lock;
        let mut one = ConnectOptions::new(&home.url);
        one.max_connections(1);
        let first = sea_orm::Database::connect(one).await.unwrap();
        let migrating = first.begin().await.unwrap();
        migrating.execute_unprepared(lock).await.unwrap();
        let url = home.url.clone();
        let second = tokio::spawn(async move { Database::open(&url, 1).await });
        // Longer than the timeout of the ledger's other locks.
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(!second.is_finished(), "{server}");
        migrating.commit().await.unwrap();
        first.close().await.unwrap();
        let database = second.await.unwrap().expect(server);
        database.close().await.unwrap();
    }
}
