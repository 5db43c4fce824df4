//! The output of each command other than `serve`, and the files it leaves behind.

use crate::program::{ProgramDir, text};

#[test]
fn methods_are_listed_without_a_ledger() {
    let dir = ProgramDir::empty();
    let out = dir.run(&["methods"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let listed = text(&out.stdout);
    let mut heads: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("app."))
        .collect();
    heads.sort_unstable();
    assert_eq!(
        heads,
        [
            "app.yoho.yohocoin",
            "app.yohocoin.get = app.yohocoin.add",
            "app.yohocoin.lists",
            "app.yohocoin.return",
            "app.yohocoin.subtract",
            "app.yohocoin.total",
        ]
    );
    for part in [
        "402 获取的有货币不合法",
        "406 orderCode不能为空",
        "referenceId",
    ] {
        assert!(listed.contains(part), "{part}");
    }
    assert!(is_empty(&dir), "it created files");
}

#[test]
fn migrate_creates_the_ledger_and_can_be_repeated() {
    let dir = ProgramDir::new().on_sqlite();
    for _ in 0..2 {
        let out = dir.run(&["migrate"]);
        assert!(out.status.success(), "{}", text(&out.stderr));
        assert!(text(&out.stdout).ends_with("data/pointgate.db is up to date\n"));
        assert!(dir.database_file().is_file());
    }
    let out = dir.run(&["audit"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let none = "audit passed: 0 accounts, 0 entries, 0 points\n";
    assert_eq!(text(&out.stdout), none);
}

/// `$USER` is the caller's to choose, the uid is not.
#[test]
fn a_change_is_logged_with_the_user_that_the_system_knows() {
    let place = ProgramDir::new();
    let id = std::process::Command::new("id")
        .arg("-ur")
        .output()
        .unwrap();
    let user = format!(" user=uid:{} id=", text(&id.stdout).trim());
    let forged = [("USER", "mallory"), ("LOGNAME", "mallory")];
    let commands: [(&str, &[&str]); 3] = [
        ("link", &["link", "--uid", "5", "--user-key", "five"]),
        ("forget", &["forget", "uid:5", "--yes"]),
        ("expire", &["expire"]),
    ];
    for (command, arguments) in commands {
        let out = place.run_with(arguments, &forged);
        let log = text(&out.stderr);
        assert!(out.status.success(), "{log}");
        let head = format!("command={command}");
        let line = log
            .lines()
            .find(|line| line.contains(&head))
            .unwrap_or(&log);
        assert!(line.contains(&user), "{line}");
        assert!(!log.contains("mallory"), "{log}");
    }
}

#[test]
fn audit_creates_no_ledger() {
    let dir = ProgramDir::empty().on_sqlite();
    let out = dir.run(&["audit"]);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(text(&out.stdout), "");
    let error = "pointgate: there is no ledger at sqlite://data/pointgate.db\n";
    assert_eq!(text(&out.stderr), error);
    assert!(is_empty(&dir), "it created files");
}

#[test]
fn audit_names_a_file_that_is_no_ledger() {
    let dir = ProgramDir::new().on_sqlite();
    std::fs::create_dir(dir.path("data")).unwrap();
    dir.write(
        "data/pointgate.db",
        "this is no database, not even a broken one",
    );
    let out = dir.run(&["audit"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("data/pointgate.db"));
}

#[test]
fn invalid_commands_are_refused() {
    for arguments in [
        &["serv"][..],
        &["--listen", "127.0.0.1:0"],
        &["sign"],
        &["sign", "yoho"],
        &["audit", "now"],
        &["copy"],
        &["copy", "--from", "sqlite://a.db"],
        &["copy", "--from", "a", "--from-env", "B", "--to", "c"],
        &["copy", "--from-env", "A", "--to", "b", "--to-env", "C"],
    ] {
        let dir = ProgramDir::empty();
        let out = dir.run(arguments);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&out.stderr).contains("Usage: pointgate"),
            "{arguments:?}"
        );
        assert!(is_empty(&dir), "{arguments:?} created files");
    }
}

#[test]
fn help_lists_every_command() {
    let out = ProgramDir::empty().run(&["--help"]);
    assert!(out.status.success());
    let help = text(&out.stdout);
    for command in [
        "serve",
        "migrate",
        "check-config",
        "methods",
        "sign",
        "expire",
        "audit",
        "copy",
        "link",
        "forget",
        "journal",
    ] {
        let line = format!("\n  {command} ");
        assert!(help.contains(&line), "{command} in {help}");
    }
}

fn is_empty(dir: &ProgramDir) -> bool {
    std::fs::read_dir(dir.path("")).unwrap().next().is_none()
}
