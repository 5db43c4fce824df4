//! Reports which tests a run skips on a machine without the servers, so that a run on SQLite alone does not pass for a complete
//! one.
//!
//! A test that needs a server is marked `#[ignore = "needs ...: tests/with_servers.sh"]`, so that `cargo test` counts it and shows
//! the reason. `tests/run.sh` starts the servers and runs the ignored tests too; without a server they fail. A few other tests run
//! on every database that is available. The test below reports both; `.config/nextest.toml` makes nextest show its output.

use std::io::Write;
use std::process::Command;

use crate::database::{MARIADB, POSTGRES, PYTHON, RABBITMQ, setting};
use crate::docs::signing;
use crate::outage::disk::SmallDisk;

const SERVERS: [(&str, &str); 4] = [
    ("PostgreSQL", POSTGRES),
    ("MariaDB", MARIADB),
    ("RabbitMQ", RABBITMQ),
    ("Python with the package cryptography", PYTHON),
];

#[test]
fn what_is_skipped() {
    let mut text = String::new();
    for (name, variable) in SERVERS {
        if setting(variable).is_none() {
            text += &format!("SKIPPED: tests that need {name}, since {variable} is not set\n");
        }
    }
    if !text.is_empty() {
        text += &format!(
            "SKIPPED: {} tests of this suite in all; to run everything: ./tests/run.sh\n",
            ignored()
        );
    }
    let folder = tempfile::tempdir().unwrap();
    if SmallDisk::mount(&folder.path().join("disk")).is_none() {
        text += "SKIPPED: the full disk, since this user may not mount a small one: run the tests as root\n";
    }
    for language in signing::missing() {
        text += &format!(
            "SKIPPED: the program in docs/signing.md in {language}, which is not installed\n"
        );
    }
    // `cargo test` hides the output of the print macros in a test that passes, but not direct writes to stderr.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// The number of `#[ignore]`d tests in this binary.
fn ignored() -> usize {
    let suite = std::env::current_exe().unwrap();
    let listed = Command::new(suite).args(["--list", "--ignored"]).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let tests = listed.lines().filter(|line| line.ends_with(": test"));
    tests.count()
}
