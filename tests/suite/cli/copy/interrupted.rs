//! A copy that is killed, or whose source changes meanwhile, leaves the target empty.

use std::process::Child;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::time::sleep;

use super::fixture::{copy, is_empty, new_dir, open, rows};
use crate::database::{MARIADB, POSTGRES, setting};
use crate::program::{ProgramDir, text};

/// The limit for a copy to get under way.
const PATIENCE: Duration = Duration::from_secs(60);
/// The bytes after which a copy counts as under way: a good part of the ledger, and far from all of it.
const SOME: u64 = 2 << 20;

/// A ledger of 20 MB.
async fn large() -> ProgramDir {
    let dir = new_dir();
    assert!(dir.run(&["migrate"]).status.success());
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
                INSERT INTO message (message_key, at, result) SELECT randomblob(16), i, hex(randomblob(500)) FROM n";
    let db = open(&dir.database_url()).await;
    db.execute_unprepared(many).await.unwrap();
    dir
}

/// Starts a copy and waits until it is under way.
async fn start(from: &ProgramDir, to: &ProgramDir) -> Child {
    assert!(to.run(&["migrate"]).status.success());
    let mut child = from.spawn(
        &[
            "copy",
            "--from",
            &from.database_url(),
            "--to",
            &to.database_url(),
        ],
        &[],
    );
    let db = open(&to.database_url()).await;
    let deadline = Instant::now() + PATIENCE;
    while written(to, &db).await < SOME {
        assert!(child.try_wait().unwrap().is_none(), "it is over already");
        assert!(Instant::now() < deadline, "it does not get on");
        sleep(Duration::from_millis(1)).await;
    }
    child
}

/// The bytes in the target so far, committed or not.
async fn written(to: &ProgramDir, db: &DatabaseConnection) -> u64 {
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

async fn kill_and_retry(to: ProgramDir) {
    let from = large().await;
    let mut child = start(&from, &to).await;
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was over before");
    assert!(is_empty(&to.database_url()).await);
    let out = copy(&from.database_url(), &to.database_url());
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(
        rows(&to.database_url()).await,
        rows(&from.database_url()).await
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_copy_leaves_sqlite_empty() {
    kill_and_retry(new_dir()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn a_killed_copy_leaves_postgresql_empty() {
    kill_and_retry(new_dir().on_server(POSTGRES)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn a_killed_copy_leaves_mariadb_empty() {
    kill_and_retry(new_dir().on_server(MARIADB)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_fails_if_the_source_changes_meanwhile() {
    let from = large().await;
    let on_postgresql = setting(POSTGRES).map(|_| new_dir().on_server(POSTGRES));
    for to in [new_dir()].into_iter().chain(on_postgresql) {
        let child = start(&from, &to).await;
        let late = "UPDATE message SET result = 'late ' || result WHERE at = 1";
        let db = open(&from.database_url()).await;
        db.execute_unprepared(late).await.unwrap();
        let out = child.wait_with_output().unwrap();
        let output = text(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{output}");
        let why = "nothing was copied: the source changed during the copy, in its table message: ";
        assert!(output.contains(why), "{output}");
        assert!(is_empty(&to.database_url()).await);
    }
}
