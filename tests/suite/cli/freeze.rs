//! `pointgate freeze`, `unfreeze` and `frozen`.

use super::copy::fixture::{dirs_on_every_database, rows};
use crate::program::{Program, ProgramDir, text};

#[track_caller]
fn run(dir: &ProgramDir, arguments: &[&str]) -> Result<String, String> {
    let out = dir.run(arguments);
    match out.status.code() {
        Some(0) => Ok(text(&out.stdout)),
        Some(1 | 2) => Err(text(&out.stderr)),
        code => panic!("{arguments:?}: {code:?} {}", text(&out.stderr)),
    }
}

fn earn(uid: &str, reference: &'static str) -> [(&'static str, String); 5] {
    [
        ("method", "app.yohocoin.get".to_owned()),
        ("uid", uid.to_owned()),
        ("num", "100".to_owned()),
        ("type", "18".to_owned()),
        ("referenceId", reference.to_owned()),
    ]
}

async fn code(program: &Program, parameters: &[(&str, String)]) -> i64 {
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
    program.client().call(&parameters).await.unwrap().code()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_freezes_lists_and_unfreezes() {
    for dir in dirs_on_every_database() {
        let program = Program::start(&dir, &[]).await;
        assert_eq!(code(&program, &earn("5", "r1")).await, 200);
        run(&dir, &["link", "--uid", "5", "--user-key", "five"]).unwrap();
        assert_eq!(run(&dir, &["frozen"]).unwrap(), "0 frozen\n");
        let freeze = |more: &[&str]| {
            run(
                &dir,
                &[&["freeze", "key:five", "--reason", " a leak "], more].concat(),
            )
        };
        // Without --yes, it only says what it would do.
        let before = rows(&dir.database_url()).await;
        for (more, scope) in [
            (&[][..], "spending"),
            (&["--spending"], "spending"),
            (&["--all"], "all"),
        ] {
            let would = format!("would freeze uid:5 ({scope}): 100 coin; --yes freezes it\n");
            assert_eq!(freeze(more).unwrap(), would);
        }
        assert_eq!(rows(&dir.database_url()).await, before);
        assert_eq!(code(&program, &earn("5", "r2")).await, 200);

        let froze = freeze(&["--all", "--yes"]).unwrap();
        assert_eq!(froze, "froze uid:5 (all): 200 coin\n");
        assert_eq!(code(&program, &earn("5", "r3")).await, 411);
        assert_eq!(code(&program, &earn("6", "r3")).await, 200);
        let again = freeze(&["--all", "--yes"]).unwrap();
        assert_eq!(again, "uid:5 is frozen already (all): 200 coin\n");
        let unknown = run(&dir, &["freeze", "uid:7", "--reason", "b", "--yes"]);
        assert_eq!(unknown.unwrap(), "froze uid:7 (spending): no account yet\n");
        let listed = run(&dir, &["frozen"]).unwrap();
        let lines: Vec<&str> = listed.lines().collect();
        assert!(lines[0].starts_with("uid:5  all  since 20") && lines[0].ends_with("  a leak"));
        assert!(lines[1].starts_with("uid:7  spending  since 20") && lines[1].ends_with("  b"));
        assert_eq!(lines[2..], ["2 frozen"]);
        program.audit();

        let lift = |owner| run(&dir, &["unfreeze", owner, "--reason", "over"]).unwrap();
        assert_eq!(lift("key:five"), "unfroze uid:5\n");
        assert_eq!(lift("key:five"), "uid:5 is not frozen\n");
        assert_eq!(lift("uid:8"), "uid:8 is not frozen\n");
        assert_eq!(code(&program, &earn("5", "r3")).await, 200);
        let journal = run(&dir, &["journal"]).unwrap();
        for part in [
            r#"{"owner":"uid:5","reason":"a leak","scope":"all"}"#,
            r#"{"owner":"uid:7","reason":"b","scope":"spending"}"#,
            r#"{"owner":"uid:5","reason":"over"}"#,
            "4 records\n",
        ] {
            assert!(journal.contains(part), "{part}: {journal}");
        }
        program.audit();
    }
}

#[test]
fn what_is_not_a_freeze_is_refused() {
    let dir = ProgramDir::new().on_sqlite();
    let absent = run(&dir, &["freeze", "uid:5", "--reason", "r", "--yes"]);
    assert!(absent.unwrap_err().contains("there is no ledger at "));
    assert!(!dir.path("data").exists(), "it made a ledger");
    run(&dir, &["migrate"]).unwrap();
    let long = "r".repeat(501);
    let owner = "an owner is uid:N or key:K, as in uid:5\n";
    let reason = "a reason has 1 to 500 characters, none of them a control character";
    let longest = format!("key:{}", "k".repeat(257));
    for (arguments, why) in [
        (&["freeze", "5", "--reason", "r", "--yes"][..], owner),
        (&["freeze", "uid:05", "--reason", "r", "--yes"], owner),
        (&["freeze", &longest, "--reason", "r", "--yes"], owner),
        (&["freeze", "key:a\nb", "--reason", "r", "--yes"], owner),
        (&["unfreeze", "key:", "--reason", "r"], owner),
        (&["freeze", "uid:5", "--reason", " ", "--yes"], reason),
        (&["freeze", "uid:5", "--reason", &long, "--yes"], reason),
        (&["unfreeze", "uid:5", "--reason", "a\u{1b}[2J"], reason),
        (&["freeze", "uid:5", "--yes"], "--reason <TEXT>"),
        (&["unfreeze", "uid:5"], "--reason <TEXT>"),
        (
            &["freeze", "uid:5", "--all", "--spending", "--reason", "r"],
            "cannot be used with",
        ),
    ] {
        let error = run(&dir, arguments).unwrap_err();
        assert!(error.contains(why), "{arguments:?}: {error}");
    }
    assert_eq!(run(&dir, &["journal"]).unwrap(), "0 records\n");
    assert_eq!(run(&dir, &["frozen"]).unwrap(), "0 frozen\n");
}

/// Whichever comes first, each process finds what the other one did.
#[test]
fn processes_that_freeze_at_once_agree() {
    const PROCESSES: usize = 6;
    for dir in dirs_on_every_database() {
        run(&dir, &["migrate"]).unwrap();
        let freeze = |number: usize| {
            let scope = ["--all", "--spending"][number % 2];
            dir.spawn(&["freeze", "uid:5", scope, "--reason", "r", "--yes"], &[])
        };
        let children: Vec<_> = (0..PROCESSES).map(freeze).collect();
        for child in children {
            let out = child.wait_with_output().unwrap();
            assert!(out.status.success(), "{}", text(&out.stderr));
        }
        let listed = run(&dir, &["frozen"]).unwrap();
        assert!(listed.ends_with("1 frozen\n"), "{listed}");
        run(&dir, &["audit"]).unwrap();
    }
}
