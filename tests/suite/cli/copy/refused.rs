//! Copies that are refused, and leave both databases unchanged.

use sea_orm::ConnectionTrait;

use super::fixture::{copy, dirs_on_every_database, fill, is_empty, new_dir, open, rows};
use crate::database::{MARIADB, POSTGRES, servers};
use crate::program::{ProgramDir, text};

/// Runs a copy that must fail, and returns its error output.
#[track_caller]
fn failed_copy(from: &str, to: &str) -> String {
    let out = copy(from, to);
    let output = text(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{output}");
    assert_eq!(text(&out.stdout), "");
    assert!(
        !output.contains("hush") && !output.contains("hu sh"),
        "{output}"
    );
    output
}

/// A filled ledger.
async fn small() -> ProgramDir {
    let dir = new_dir();
    fill(&dir).await;
    dir
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_with_rows_is_refused() {
    let source = small().await;
    for target in dirs_on_every_database() {
        assert!(target.run(&["migrate"]).status.success());
        let db = open(&target.database_url()).await;
        let one = "INSERT INTO identity (name, owner) VALUES ('uid:5', 'key:a')";
        db.execute_unprepared(one).await.unwrap();
        let before = rows(&target.database_url()).await;
        let output = failed_copy(&source.database_url(), &target.database_url());
        let why =
            "nothing was copied: the target is not empty: there are rows in its table identity\n";
        assert!(output.ends_with(why), "{output}");
        assert_eq!(rows(&target.database_url()).await, before);
    }
    let other = small().await;
    let before = rows(&other.database_url()).await;
    let output = failed_copy(&source.database_url(), &other.database_url());
    assert!(output.contains("in its table account"), "{output}");
    assert_eq!(rows(&other.database_url()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_fails_its_audit_is_refused() {
    let source = small().await;
    let db = open(&source.database_url()).await;
    for (sql, named) in [
        (
            "UPDATE entry SET message = 'forged' WHERE seq = 1 AND account_id = \
             (SELECT id FROM account WHERE owner = 'uid:1001')",
            "the audit of the source failed: coin of uid:1001: entry 1: ",
        ),
        (
            "UPDATE account SET balance = balance + 1 WHERE owner = 'uid:1001'",
            "the audit of the source failed: coin of uid:1001: ",
        ),
    ] {
        db.execute_unprepared(sql).await.unwrap();
        for target in dirs_on_every_database() {
            let output = failed_copy(&source.database_url(), &target.database_url());
            assert!(output.contains(named), "{output}");
            assert!(is_empty(&target.database_url()).await);
        }
    }
}

/// The copy fails as a whole if the target cannot hold a value unchanged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and MariaDB: tests/with_servers.sh"]
async fn a_value_that_the_target_cannot_hold_is_refused() {
    let source = small().await;
    let db = open(&source.database_url()).await;
    let long = "UPDATE member SET qq = hex(zeroblob(200)) WHERE user_key = 'key-a'";
    db.execute_unprepared(long).await.unwrap();
    for target in [new_dir().on_server(POSTGRES), new_dir().on_server(MARIADB)] {
        let output = failed_copy(&source.database_url(), &target.database_url());
        assert!(
            output.contains("nothing was copied: the target: "),
            "{output}"
        );
        assert!(is_empty(&target.database_url()).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_source_is_refused_and_not_created() {
    let dir = ProgramDir::empty().on_sqlite();
    let to = dir.path("to.db");
    let output = failed_copy(&dir.database_url(), &format!("sqlite://{}", to.display()));
    let why = format!("pointgate: there is no ledger at {}\n", dir.database_url());
    assert_eq!(output, why);
    let left = std::fs::read_dir(dir.path("")).unwrap().count();
    assert_eq!(left, 0, "it created files");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_into_itself_is_refused() {
    let source = small().await;
    let before = rows(&source.database_url()).await;
    let detour = source.database_url().replace("/data/", "/data/../data/");
    for to in [source.database_url(), detour] {
        let output = failed_copy(&source.database_url(), &to);
        assert!(output.contains("are the same database"), "{output}");
    }
    assert_eq!(rows(&source.database_url()).await, before);
    for server in servers() {
        let server = new_dir().on_server(server);
        assert!(
            failed_copy(&server.database_url(), &server.database_url())
                .contains("are the same database")
        );
    }
}

#[test]
fn an_invalid_url_is_reported_without_its_password() {
    let good = "sqlite://a.db";
    for bad in [
        "",
        "a.db",
        "sqlite://:memory:",
        "postgres://u:hush@host",
        "mysql://u:hush@host/",
        "oracle://u:hush@host/db",
        "u:hush@host/db",
        "postgres://u:hush@127.0.0.1:99999/db",
        "postgres://u:1/hush@host/db",
        "mysql://u:hu sh@ho st/db?password=hush",
    ] {
        for (from, to, which) in [(bad, good, "--from "), (good, bad, "--to ")] {
            let output = failed_copy(from, to);
            assert!(
                output.starts_with(&format!("pointgate: {which}")),
                "{output}"
            );
        }
    }
    for gone in [
        "postgres://u:hush@127.0.0.1:1/db",
        "postgres://u@127.0.0.1:1/db?password=hush",
    ] {
        let output = failed_copy(gone, good);
        assert!(
            output.starts_with("pointgate: nothing was copied: the source: "),
            "{output}"
        );
        // The same URL in the configuration fails with the same discretion.
        let url = [("POINTGATE__DATABASE__URL", gone)];
        let out = ProgramDir::empty().run_with(&["migrate"], &url);
        let output = text(&out.stderr);
        assert!(!out.status.success(), "{gone}");
        assert!(
            !output.contains("hush") && !output.contains("hu sh"),
            "{output}"
        );
    }
}

#[test]
fn a_variable_that_holds_no_url_is_reported_without_its_value() {
    let dir = ProgramDir::empty();
    let variables = [("SOURCE", "sqlite://none.db"), ("BROKEN", "u:hush@host/db")];
    for (arguments, why) in [
        (
            [
                "--from-env",
                "SOURCE",
                "--to-env",
                "postgres://u:hush@host/db",
            ],
            "--to-env names an environment variable that is not set\n",
        ),
        (
            ["--from-env", "SOURCE", "--to-env", "BROKEN"],
            "the variable of --to-env must be \"sqlite://\"",
        ),
        (
            ["--from-env", "SOURCE", "--to", "sqlite://to.db"],
            "there is no ledger at sqlite://none.db\n",
        ),
    ] {
        let out = dir.run_with(&[&["copy"], &arguments[..]].concat(), &variables);
        let output = text(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{output}");
        assert!(output.starts_with(&format!("pointgate: {why}")), "{output}");
        assert!(!output.contains("hush"), "{output}");
    }
}
