//! `pointgate link --file`: links many pairs, and names each line that it does not link.

use std::fs::File;

use entity::member;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::copy::fixture::{dirs_on_every_database, open};
use super::output::run_into;
use crate::program::{ProgramDir, text};

const LINK: [&str; 3] = ["link", "--file", "pairs.csv"];
const NOT_TWO: &str = "not two values with a comma between them";
const QUOTES: &str = "a value with a quote in it, or with white space at an end, must be in quotes, and each quote in it doubled";
const UID: &str = "a uid is a whole number from 1, in digits";
const USER_KEY: &str = "a user_key has 1 to 255 characters, none of them a control character";
const TOO_LONG: &str = "longer than 1024 bytes";
const UTF_8: &str = "not UTF-8";

/// Runs the command and returns its exit status, its report and its error; a thread of its own writes the log.
#[track_caller]
fn link(dir: &ProgramDir) -> (Option<i32>, String, String) {
    let out = dir.run(&LINK);
    let errors = text(&out.stderr);
    let error = errors.lines().find(|line| line.starts_with("pointgate: "));
    let error = error.unwrap_or_default().to_owned();
    (out.status.code(), text(&out.stdout), error)
}

fn write(dir: &ProgramDir, bytes: &[u8]) {
    std::fs::write(dir.path("pairs.csv"), bytes).unwrap();
}

/// The details of each record of the journal, and the request ids.
#[track_caller]
fn records(dir: &ProgramDir) -> (Vec<String>, Vec<String>) {
    let out = dir.run(&["journal"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let listed = text(&out.stdout);
    let records = listed.lines().filter(|line| line.contains("  link  "));
    let word = |line: &str, n| line.split("  ").nth(n).unwrap().to_owned();
    let words = records.map(|line| (word(line, 5), word(line, 4)));
    words.unzip()
}

#[test]
fn each_line_is_judged_by_itself() {
    let longest = format!("9223372036854775807,{}", "𠮷".repeat(251));
    let (too_long, long_key) = (format!("{longest}x"), format!("9,{}", "x".repeat(256)));
    let endless = format!("9,{}", "x".repeat(100_000));
    let lines: Vec<(&[u8], Option<&str>)> = vec![
        (b"\xEF\xBB\xBFuid,user_key", None),
        (b"5,five", None),
        (b"\"6\",\"six\"", None),
        (b"7,\"a,\"\"b\"\"\"", None),
        (b"10,\" ten \"", None),
        (longest.as_bytes(), None),
        (b"", None),
        (b"5,five", None),
        (b"5,cinq", Some("uid 5 is already linked to user_key five")),
        (b"9,five", Some("user_key five is already linked to uid 5")),
        (b"9", Some(NOT_TWO)),
        (b"9,a,b", Some(NOT_TWO)),
        (b"9;semicolon", Some(NOT_TWO)),
        (b"   ", Some(NOT_TWO)),
        (b"0,zero", Some(UID)),
        (b"-9,minus", Some(UID)),
        (b"+9,plus", Some(UID)),
        (b"09,octal", Some(UID)),
        (b"9.0,decimal", Some(UID)),
        (b",nobody", Some(UID)),
        (b"9223372036854775808,beyond", Some(UID)),
        (b"uid,user_key", Some(UID)),
        (b"9,", Some(USER_KEY)),
        (b"9,\"\"", Some(USER_KEY)),
        (b"9,\x1B[2J\xC2\x9Ba", Some(USER_KEY)),
        (long_key.as_bytes(), Some(USER_KEY)),
        (b"9, space", Some(QUOTES)),
        (b"9,space ", Some(QUOTES)),
        (b"9,\"never closed", Some(QUOTES)),
        (b"9,\"text\"after", Some(QUOTES)),
        (b"9,text\"in", Some(QUOTES)),
        (b"9,return\rline", Some(QUOTES)),
        (b"9,\xFF", Some(UTF_8)),
        (b"9,\xE4\xB8", Some(UTF_8)),
        (too_long.as_bytes(), Some(TOO_LONG)),
        (endless.as_bytes(), Some(TOO_LONG)),
        (b"11,eleven", None),
    ];
    let refused = lines.iter().zip(1..);
    let refused = refused.filter_map(|((_, why), number)| Some((number, (*why)?)));
    let refused: Vec<String> = refused
        .map(|(number, why)| format!("line {number}: {why}\n"))
        .collect();
    let texts: Vec<&[u8]> = lines.iter().map(|(line, _)| *line).collect();
    let report =
        |counts: &str| format!("{}{counts}, refused {}\n", refused.concat(), refused.len());
    // Without an end of the last line.
    for (dir, end) in dirs_on_every_database()
        .iter()
        .flat_map(|dir| [(dir, "\r\n"), (dir, "\n")])
    {
        write(dir, &texts.join(end.as_bytes()));
        let (status, printed, error) = link(dir);
        let counts = match end {
            "\r\n" => "linked 6, already linked 1",
            _ => "linked 0, already linked 7",
        };
        assert_eq!(printed, report(counts));
        assert_eq!(error, "pointgate: some lines were not linked");
        assert_eq!(status, Some(1));
        let (details, requests) = records(dir);
        let record = |uid, key: &str| format!(r#"{{"name":"key:{key}","owner":"uid:{uid}"}}"#);
        let expected = [
            record(5, "five"),
            record(6, "six"),
            record(7, r#"a,\"b\""#),
            record(10, " ten "),
            record(i64::MAX, &"𠮷".repeat(251)),
            record(11, "eleven"),
        ];
        assert_eq!(details, expected);
        assert!(requests.iter().all(|id| *id == requests[0]), "{requests:?}");
        let audit = dir.run(&["audit"]);
        assert!(audit.status.success(), "{}", text(&audit.stderr));
    }
}

#[test]
fn a_file_without_a_refused_line_is_a_success() {
    let dir = ProgramDir::new();
    for (file, counts) in [
        ("", "linked 0, already linked 0, refused 0\n"),
        ("uid,user_key\n", "linked 0, already linked 0, refused 0\n"),
        ("5,five\n6,six\n", "linked 2, already linked 0, refused 0\n"),
        (
            "\u{feff}\"uid\",\"user_key\"\r\n6,six\r\n\r\n7,seven\r\n",
            "linked 1, already linked 1, refused 0\n",
        ),
        (
            "\u{feff}8,eight\n",
            "linked 1, already linked 0, refused 0\n",
        ),
    ] {
        write(&dir, file.as_bytes());
        let (status, printed, error) = link(&dir);
        assert_eq!((status, printed.as_str()), (Some(0), counts), "{error}");
    }
    let single = dir.run(&["link", "--uid", "8", "--user-key", "huit"]);
    let why = "uid 8 is already linked to user_key eight";
    assert!(text(&single.stderr).contains(why));
}

#[test]
fn a_file_that_cannot_be_read_creates_no_ledger() {
    let dir = ProgramDir::new().on_sqlite();
    let (status, printed, error) = link(&dir);
    assert_eq!((status, printed.as_str()), (Some(1), ""));
    let why = "pointgate: cannot read pairs.csv: ";
    assert!(error.starts_with(why), "{error}");
    assert!(!dir.path("data").exists(), "it made a ledger");
    std::fs::create_dir(dir.path("pairs.csv")).unwrap();
    let (status, printed, error) = link(&dir);
    assert_eq!(status, Some(1));
    assert_eq!(printed, "linked 0, already linked 0, refused 0\n");
    let why = "pointgate: stopped before the end of the file: ";
    assert!(error.starts_with(why), "{error}");
}

#[test]
fn one_pair_or_a_file() {
    let dir = ProgramDir::new().on_sqlite();
    write(&dir, b"5,five\n");
    let pair = ["--uid", "5", "--user-key", "five"];
    for arguments in [
        &["link"][..],
        &["link", "--uid", "5"],
        &["link", "--user-key", "five"],
        &[&LINK[..], &pair].concat(),
        &[&LINK[..], &pair[..2]].concat(),
        &[&LINK[..], &pair[2..]].concat(),
    ] {
        let out = dir.run(arguments);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        assert!(!dir.path("data").exists(), "{arguments:?}");
    }
}

/// Earlier versions stored control characters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_control_characters_are_escaped() {
    let dir = ProgramDir::new().on_sqlite();
    assert!(dir.run(&["migrate"]).status.success());
    let db = open(&dir.database_url()).await;
    let evil = member::Model {
        id: 1,
        uid: Some(5),
        user_key: Some("\u{1b}[2J\n\u{9b}31m".into()),
        ..member::Model::default()
    };
    let row = member::Entity::insert(evil.into_active_model());
    row.exec_without_returning(&db).await.unwrap();
    db.close().await.unwrap();
    write(&dir, b"5,five");
    let (_, printed, _) = link(&dir);
    let shown = "line 1: uid 5 is already linked to user_key \\u{1b}[2J\\n\\u{9b}31m\n";
    assert!(printed.starts_with(shown), "{printed}");
}

/// What is linked stays, and the next run goes on from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_fails_ends_the_run() {
    let dir = ProgramDir::new().on_sqlite();
    assert!(dir.run(&["migrate"]).status.success());
    let db = open(&dir.database_url()).await;
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON identity WHEN NEW.name = 'key:six' BEGIN SELECT RAISE(ABORT, 'broken'); END";
    db.execute_unprepared(broken).await.unwrap();
    write(&dir, b"5,five\n6,six\n7,seven\n");
    let (status, printed, error) = link(&dir);
    assert_eq!(status, Some(1));
    assert_eq!(printed, "linked 1, already linked 0, refused 0\n");
    let why = "pointgate: stopped before the end of the file: line 2: the database ";
    assert!(error.starts_with(why), "{error}");
    let repaired = db.execute_unprepared("DROP TRIGGER broken").await;
    repaired.unwrap();
    db.close().await.unwrap();
    let (status, printed, _) = link(&dir);
    assert_eq!(printed, "linked 2, already linked 1, refused 0\n");
    assert_eq!(status, Some(0));
}

/// Nobody would learn of further lines.
#[test]
fn a_report_that_is_lost_ends_the_run() {
    let dir = ProgramDir::new().on_sqlite();
    write(&dir, b"5,five\nx,x\n7,seven\n");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let out = run_into(&dir, &LINK, full.into());
    assert_eq!(out.status.code(), Some(1));
    let output = text(&out.stderr);
    assert!(output.contains("cannot write the output: "), "{output}");
    assert_eq!(records(&dir).0, [r#"{"name":"key:five","owner":"uid:5"}"#]);
}
