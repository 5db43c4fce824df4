//! The locks on what has no row of its own.

use pointgate::ledger::database::Database;
use pointgate::ledger::database::guarded::GuardedTransaction;
use pointgate::ledger::database::lock::{Lock, lock, lock_shared};
use pointgate::ledger::database::retry::lost_race;
use sea_orm::{ConnectionTrait, DbErr};

use crate::database::{Home, MARIADB, POSTGRES, databases};

/// A server, and what lets a transaction fail at once instead of waiting for a lock.
const SERVERS: [(&str, &str); 2] = [
    (POSTGRES, "SET LOCAL lock_timeout = '1ms'"),
    (MARIADB, "SET SESSION innodb_lock_wait_timeout = 0"),
];

/// A database, and the transactions of its instances.
struct Instances {
    name: &'static str,
    impatient: &'static str,
    database: Database,
    _home: Home,
}

impl Instances {
    async fn all() -> Vec<Instances> {
        let mut all = Vec::new();
        for (name, impatient) in SERVERS {
            let home = Home::on(Some(name));
            let database = Database::open(&home.url, 1).await.unwrap();
            all.push(Instances {
                name,
                impatient,
                database,
                _home: home,
            });
        }
        all
    }

    async fn begin(&self) -> GuardedTransaction {
        let transaction = self.database.begin_write().await.unwrap();
        let set = transaction.execute_unprepared(self.impatient).await;
        set.unwrap();
        transaction
    }

    /// Whether another transaction can have the lock alone, and whether it can share it.
    async fn free(&self, wanted: Lock) -> (bool, bool) {
        let one = self.begin().await;
        let alone = self.taken(lock(&one, wanted).await);
        one.rollback().await.unwrap();
        let one = self.begin().await;
        let shared = self.taken(lock_shared(&one, wanted).await);
        one.rollback().await.unwrap();
        (alone, shared)
    }

    fn taken(&self, done: Result<(), DbErr>) -> bool {
        match done {
            Ok(()) => true,
            Err(error) => {
                assert!(lost_race(&error), "{}: {error}", self.name);
                false
            }
        }
    }
}

const ALL: [(Lock, Lock); 2] = [
    (Lock::Identities, Lock::Journal),
    (Lock::Journal, Lock::Identities),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and MariaDB: tests/with_servers.sh"]
async fn a_lock_excludes_until_its_transaction_ends() {
    for one in Instances::all().await {
        for (wanted, other) in ALL {
            for commits in [true, false] {
                let name = format!("{wanted:?} on {}, commits: {commits}", one.name);
                let holder = one.begin().await;
                lock(&holder, wanted).await.unwrap();
                assert_eq!(one.free(wanted).await, (false, false), "{name}");
                assert_eq!(one.free(other).await, (true, true), "{name}");
                match commits {
                    true => holder.commit().await.unwrap(),
                    false => holder.rollback().await.unwrap(),
                }
                assert_eq!(one.free(wanted).await, (true, true), "{name}");
            }
        }
        one.database.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and MariaDB: tests/with_servers.sh"]
async fn a_shared_lock_is_shared() {
    for one in Instances::all().await {
        for (wanted, other) in ALL {
            let name = format!("{wanted:?} on {}", one.name);
            let holders = [one.begin().await, one.begin().await];
            for holder in &holders {
                lock_shared(holder, wanted).await.expect(&name);
            }
            for holder in holders {
                assert_eq!(one.free(wanted).await, (false, true), "{name}");
                assert_eq!(one.free(other).await, (true, true), "{name}");
                holder.rollback().await.unwrap();
            }
            assert_eq!(one.free(wanted).await, (true, true), "{name}");
        }
        one.database.close().await.unwrap();
    }
}

/// A lock whose row is missing would lock nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn a_lock_without_a_row_is_an_error() {
    let home = Home::on(Some(MARIADB));
    let database = Database::open(&home.url, 1).await.unwrap();
    let transaction = database.begin_write().await.unwrap();
    for wanted in [Lock::Identities, Lock::Journal] {
        let row = format!("DELETE FROM advisory_lock WHERE name = '{}'", wanted.name());
        let deleted = transaction.execute_unprepared(&row).await.unwrap();
        assert_eq!(deleted.rows_affected(), 1);
        for done in [
            lock(&transaction, wanted).await,
            lock_shared(&transaction, wanted).await,
        ] {
            let error = done.unwrap_err();
            assert!(matches!(error, DbErr::RecordNotFound(_)), "{error}");
            assert!(!lost_race(&error));
        }
    }
    transaction.rollback().await.unwrap();
    database.close().await.unwrap();
}

/// SQLite's transaction that writes is the lock.
#[tokio::test(flavor = "multi_thread")]
async fn only_servers_have_locks() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let database = Database::open(&home.url, 1).await.unwrap();
        let backend = database.backend();
        assert_eq!(backend.writes_concurrently(), server.is_some(), "{name}");
        database.close().await.unwrap();
    }
}
