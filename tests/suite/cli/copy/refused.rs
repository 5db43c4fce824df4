//! What is not copied, and that nothing has changed then.

use sea_orm::ConnectionTrait;

use super::fixture::{copy, dirs_on_every_database, fill, is_empty, new_dir, open, rows};
use crate::database::{MARIADB, POSTGRES, servers};
use crate::program::{ProgramDir, text};

/// What a copy says that fails.
#[track_caller]
fn refused(from: &str, to: &str) -> String {
    let out = copy(from, to);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert_eq!(text(&out.stdout), "");
    assert!(!said.contains("hush") && !said.contains("hu sh"), "{said}");
    said
}

/// A ledger in whose books there is one account.
async fn small() -> ProgramDir {
    let dir = new_dir();
    fill(&dir).await;
    dir
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_not_empty_stays_as_it_is() {
    let source = small().await;
    for target in dirs_on_every_database() {
        assert!(target.run(&["migrate"]).status.success());
        let db = open(&target.database_url()).await;
        let one = "INSERT INTO identity (name, owner) VALUES ('uid:5', 'key:a')";
        db.execute_unprepared(one).await.unwrap();
        let before = rows(&target.database_url()).await;
        let said = refused(&source.database_url(), &target.database_url());
        let why =
            "nothing was copied: the target is not empty: there are rows in its table identity\n";
        assert!(said.ends_with(why), "{said}");
        assert_eq!(rows(&target.database_url()).await, before);
    }
    let other = small().await;
    let before = rows(&other.database_url()).await;
    let said = refused(&source.database_url(), &other.database_url());
    assert!(said.contains("in its table account"), "{said}");
    assert_eq!(rows(&other.database_url()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_books_are_not_copied() {
    let source = small().await;
    let db = open(&source.database_url()).await;
    for (sql, named) in [
        (
            "UPDATE entry SET message = 'forged' WHERE seq = 1 AND account_id = \
             (SELECT id FROM account WHERE owner = 'uid:1001')",
            "the audit of the source failed: coin of uid:1001: entry 1 ",
        ),
        (
            "UPDATE account SET balance = balance + 1 WHERE owner = 'uid:1001'",
            "the audit of the source failed: coin of uid:1001: ",
        ),
    ] {
        db.execute_unprepared(sql).await.unwrap();
        for target in dirs_on_every_database() {
            let said = refused(&source.database_url(), &target.database_url());
            assert!(said.contains(named), "{said}");
            assert!(is_empty(&target.database_url()).await);
        }
    }
}

/// What the target cannot hold as it is, it does not hold in part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and MariaDB: tests/with_servers.sh"]
async fn what_does_not_fit_is_not_bent() {
    let source = small().await;
    let db = open(&source.database_url()).await;
    let long = "UPDATE member SET qq = hex(zeroblob(200)) WHERE user_key = 'key-a'";
    db.execute_unprepared(long).await.unwrap();
    for target in [new_dir().on_server(POSTGRES), new_dir().on_server(MARIADB)] {
        let said = refused(&source.database_url(), &target.database_url());
        assert!(said.contains("nothing was copied: the target: "), "{said}");
        assert!(is_empty(&target.database_url()).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_not_there_is_not_made() {
    let dir = ProgramDir::empty().on_sqlite();
    let to = dir.path("to.db");
    let said = refused(&dir.database_url(), &format!("sqlite://{}", to.display()));
    let why = format!("pointgate: there is no ledger at {}\n", dir.database_url());
    assert_eq!(said, why);
    let left = std::fs::read_dir(dir.path("")).unwrap().count();
    assert_eq!(left, 0, "it made something");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_database_is_not_copied_into_itself() {
    let source = small().await;
    let before = rows(&source.database_url()).await;
    let detour = source.database_url().replace("/data/", "/data/../data/");
    for to in [source.database_url(), detour] {
        let said = refused(&source.database_url(), &to);
        assert!(said.contains("are the same database"), "{said}");
    }
    assert_eq!(rows(&source.database_url()).await, before);
    for server in servers() {
        let server = new_dir().on_server(server);
        assert!(
            refused(&server.database_url(), &server.database_url())
                .contains("are the same database")
        );
    }
}

#[test]
fn what_is_no_database_is_said_without_its_password() {
    let good = "sqlite://a.db";
    for bad in [
        "",
        "a.db",
        "sqlite://:memory:",
        "postgres://u:hush@host",
        "mysql://u:hush@host/",
        "oracle://u:hush@host/db",
        "u:hush@host/db",
    ] {
        for (from, to, which) in [(bad, good, "--from "), (good, bad, "--to ")] {
            let said = refused(from, to);
            assert!(said.starts_with(&format!("pointgate: {which}")), "{said}");
        }
    }
    for gone in [
        "postgres://u:hush@127.0.0.1:1/db",
        "postgres://u:hush@127.0.0.1:99999/db",
        "mysql://u:hu sh@ho st/db",
    ] {
        let said = refused(gone, good);
        assert!(
            said.starts_with("pointgate: nothing was copied: the source: "),
            "{said}"
        );
        // The same URL in the configuration.
        let url = [("POINTGATE__DATABASE__URL", gone)];
        let out = ProgramDir::empty().run_with(&["migrate"], &url);
        let said = text(&out.stderr);
        assert!(!out.status.success(), "{gone}");
        assert!(!said.contains("hush") && !said.contains("hu sh"), "{said}");
    }
}
