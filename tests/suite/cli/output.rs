//! What commands print: nothing breaks when the reader has gone, a full disk is an error, and stored text cannot steer the terminal.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Output, Stdio};

use entity::payment;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::copy::fixture::{fill, new_dir, open};
use crate::program::{ProgramDir, text};

/// Every command that prints and ends.
const COMMANDS: [&[&str]; 6] = [
    &["methods"],
    &["check-config"],
    &["sign", "yoho", "app.yohocoin.total", "uid=5"],
    &["migrate"],
    &["payments"],
    &["audit"],
];

/// Runs a command with this standard output.
pub fn run_into(dir: &ProgramDir, arguments: &[&str], out: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointgate"));
    command.args(arguments).current_dir(dir.path(""));
    let child = command.stdout(out).stderr(Stdio::piped()).spawn();
    child.unwrap().wait_with_output().unwrap()
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let dir = ProgramDir::new().on_sqlite();
    assert!(dir.run(&["migrate"]).status.success());
    for command in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let out = run_into(&dir, command, writer.into());
        assert_eq!(text(&out.stderr), "", "{command:?}");
        assert!(out.status.success(), "{command:?}");
    }
}

#[test]
fn a_reader_of_one_line_gets_it() {
    let dir = ProgramDir::new().on_sqlite();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut first = [0; 10];
    let out = std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            reader.read_exact(&mut first).unwrap();
            drop(reader);
        });
        let out = run_into(&dir, &["methods"], writer.into());
        read.join().unwrap();
        out
    });
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert!(text(&first).starts_with("app."));
}

#[test]
fn output_that_is_lost_is_an_error() {
    let dir = ProgramDir::new().on_sqlite();
    assert!(dir.run(&["migrate"]).status.success());
    for command in COMMANDS {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let out = run_into(&dir, command, full.into());
        assert_eq!(out.status.code(), Some(1), "{command:?}");
        let output = text(&out.stderr);
        assert!(
            output.starts_with("pointgate: cannot write the output: "),
            "{output}"
        );
    }
}

/// Earlier versions stored control characters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_control_characters_are_escaped() {
    let dir = new_dir();
    fill(&dir).await;
    let db = open(&dir.database_url()).await;
    let one = payment::Entity::find().one(&db).await.unwrap().unwrap();
    let evil = payment::Model {
        event_id: "evil".to_owned(),
        subject: "evil".to_owned(),
        charge_id: None,
        order_no: Some("\u{1b}[2Jno\nname".to_owned()),
        channel: Some("\u{9b}31m\r\u{7f}".to_owned()),
        ..one
    };
    let row = payment::Entity::insert(evil.into_active_model());
    row.exec_without_returning(&db).await.unwrap();
    let out = dir.run(&["payments"]);
    let output = text(&out.stdout);
    assert!(output.contains(r"order \u{1b}[2Jno\nname"), "{output}");
    assert!(output.contains(r"\u{9b}31m\r\u{7f}"), "{output}");
    assert_printable(&output);

    let evil = "UPDATE account SET balance = balance + 1, owner = char(27) || '[2J' || owner WHERE owner = 'uid:1001'";
    db.execute_unprepared(evil).await.unwrap();
    let out = dir.run(&["audit"]);
    assert_eq!(out.status.code(), Some(1));
    let output = text(&out.stderr);
    assert!(output.contains(r"coin of \u{1b}[2Juid:1001"), "{output}");
    assert_printable(&output);
}

#[track_caller]
fn assert_printable(output: &str) {
    for line in output.lines() {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn no_member_has_a_name_with_control_characters() {
    let dir = ProgramDir::new();
    let out = dir.run(&["link", "--uid", "5", "--user-key", "a\u{1b}[2J"]);
    assert_eq!(out.status.code(), Some(1));
    let output = text(&out.stderr);
    let why = "pointgate: a user_key has 1 to 255 characters, none of them a control character\n";
    assert!(output.contains(why), "{output}");
    assert_eq!(text(&out.stdout), "");
}
