//! A copy that is cut off, or overtaken by what is written meanwhile, leaves the target empty.

use std::process::Child;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::time::sleep;

use super::books::{copy, is_empty, open, place, rows};
use crate::database::{MARIADB, POSTGRES, setting};
use crate::program::{Place, text};

/// A copy must come so far within this.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is a good deal of a large ledger, and far from all of it.
const SOME: u64 = 2 << 20;

/// A ledger of 20 MB.
async fn large() -> Place {
    let place = place();
    assert!(place.run(&["migrate"]).status.success());
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
                INSERT INTO message SELECT randomblob(16), i, hex(randomblob(500)) FROM n";
    let db = open(&place.url()).await;
    db.execute_unprepared(many).await.unwrap();
    place
}

/// Starts a copy, and waits until it is in the middle of it.
async fn start(from: &Place, to: &Place) -> Child {
    assert!(to.run(&["migrate"]).status.success());
    let mut child = from.spawn(&["copy", "--from", &from.url(), "--to", &to.url()], &[]);
    let db = open(&to.url()).await;
    let deadline = Instant::now() + PATIENCE;
    while written(to, &db).await < SOME {
        assert!(child.try_wait().unwrap().is_none(), "it is over already");
        assert!(Instant::now() < deadline, "it does not get on");
        sleep(Duration::from_millis(1)).await;
    }
    child
}

/// The bytes that a target has so far, committed or not.
async fn written(to: &Place, db: &DatabaseConnection) -> u64 {
    let size = match db.get_database_backend() {
        DbBackend::Postgres => "SELECT pg_relation_size('message')",
        DbBackend::MySql => {
            let all = "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED";
            db.execute_unprepared(all).await.unwrap();
            "SELECT COUNT(*) * 1000 FROM message"
        }
        _ => {
            let log = std::fs::metadata(to.path("data/pointgate.db-wal"));
            return log.map_or(0, |log| log.len());
        }
    };
    let size = Statement::from_string(db.get_database_backend(), size);
    let row = db.query_one_raw(size).await.unwrap().unwrap();
    u64::try_from(row.try_get_by_index::<i64>(0).unwrap()).unwrap()
}

async fn killed(to: Place) {
    let from = large().await;
    let mut child = start(&from, &to).await;
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was over before");
    assert!(is_empty(&to.url()).await);
    let out = copy(&from.url(), &to.url());
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(rows(&to.url()).await, rows(&from.url()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_its_way_into_a_file() {
    killed(place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn killed_on_its_way_into_postgresql() {
    killed(place().on(POSTGRES)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn killed_on_its_way_into_mariadb() {
    killed(place().on(MARIADB)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_meanwhile_is_not_lost() {
    let from = large().await;
    let on_postgresql = setting(POSTGRES).map(|_| place().on(POSTGRES));
    for to in [place()].into_iter().chain(on_postgresql) {
        let child = start(&from, &to).await;
        let late = "UPDATE message SET answer = 'late ' || answer WHERE at = 1";
        let db = open(&from.url()).await;
        db.execute_unprepared(late).await.unwrap();
        let out = child.wait_with_output().unwrap();
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{said}");
        let why = "nothing was copied: the source was written to meanwhile, in its table message: ";
        assert!(said.contains(why), "{said}");
        assert!(is_empty(&to.url()).await);
    }
}
