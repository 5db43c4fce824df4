//! Says what a run leaves out on a machine without the servers, so that nobody takes SQLite's half for the whole.
//!
//! A test that needs a server is `#[ignore = "needs ...: tests/with_servers.sh"]`, by the standard means: it is counted, and shown
//! with its reason by `cargo test`. `tests/run.sh` asks for the ignored tests too, with servers; without one they fail. Few tests
//! compare as many databases as there are. The test here tells of both; nextest shows its output by `.config/nextest.toml`.

use std::io::Write;
use std::process::Command;

use crate::database::{MARIADB, POSTGRES, RABBITMQ, setting};
use crate::outage::disk::SmallDisk;

const SERVERS: [(&str, &str); 3] = [
    ("PostgreSQL", POSTGRES),
    ("MariaDB", MARIADB),
    ("RabbitMQ", RABBITMQ),
];

#[test]
fn what_is_skipped() {
    let mut text = String::new();
    for (name, variable) in SERVERS {
        if setting(variable).is_none() {
            text += &format!("SKIPPED: what needs {name}, since {variable} is not set\n");
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
    // `cargo test` keeps to itself what the macros print in a test that passes, but not this.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// How many tests of this binary run only when they are asked for.
fn ignored() -> usize {
    let suite = std::env::current_exe().unwrap();
    let listed = Command::new(suite).args(["--list", "--ignored"]).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let tests = listed.lines().filter(|line| line.ends_with(": test"));
    tests.count()
}
