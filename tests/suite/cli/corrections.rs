//! `pointgate adjust`, `reverse`, `reinstate` and `transfer`, on every database, beside a running server.

use serde_json::Value;

use super::copy::fixture::{dirs_on_every_database, rows};
use crate::program::{Client, Program, ProgramDir, text};

#[track_caller]
pub fn run(dir: &ProgramDir, line: &str, more: &[&str]) -> Result<String, String> {
    let words: Vec<&str> = line.split(' ').chain(more.iter().copied()).collect();
    let out = dir.run(&words);
    match out.status.code() {
        Some(0) => Ok(text(&out.stdout)),
        Some(1 | 2) => Err(text(&out.stderr)),
        code => panic!("{line}: {code:?} {}", text(&out.stderr)),
    }
}

/// Runs a correction for good.
#[track_caller]
pub fn correct(dir: &ProgramDir, line: &str) -> Result<String, String> {
    run(dir, line, &["--yes", "--reason", "a leaked key"])
}

/// Calls a method of the coins: `get 5 100 r1`. Returns the balance, or the code of a refusal.
pub async fn call(client: &Client, line: &str) -> Result<i64, i64> {
    let words: Vec<&str> = line.split(' ').collect();
    let [method, uid, num, key] = words[..] else {
        panic!("{line}");
    };
    let (name, kind) = match method {
        "get" => ("referenceId", "18"),
        "subtract" => ("orderCode", "19"),
        _ => ("orderCode", "22"),
    };
    let method = format!("app.yohocoin.{method}");
    let answer = client
        .call(&[
            ("method", &method),
            ("uid", uid),
            ("num", num),
            ("type", kind),
            (name, key),
        ])
        .await
        .unwrap();
    match answer.code() {
        200 => {
            let body: Value = serde_json::from_str(&answer.text).unwrap();
            Ok(body["data"]["currency"].as_str().unwrap().parse().unwrap())
        }
        code => Err(code),
    }
}

/// The rows of a member's coins, newest first: type, points, message.
async fn list(client: &Client, uid: &str) -> Vec<(i64, i64, String)> {
    let parameters = [
        ("method", "app.yohocoin.lists"),
        ("uid", uid),
        ("limit", "100"),
    ];
    let data = client.call_ok(&parameters).await;
    let rows = data["coinlist"].as_array().unwrap().iter();
    rows.map(|row| {
        let message = row["message"].as_str().unwrap().to_owned();
        (
            row["type"].as_i64().unwrap(),
            row["num"].as_i64().unwrap(),
            message,
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn minted_points_are_taken_back_and_the_rest_from_later_income() {
    for dir in dirs_on_every_database() {
        let program = Program::start(&dir, &[]).await;
        let client = program.client();
        for (line, balance) in [
            ("get 5 100 a", 100),
            ("get 5 50 b", 150),
            ("subtract 5 -120 o1", 30),
        ] {
            assert_eq!(call(&client, line).await, Ok(balance), "{line}");
        }
        let before = rows(&dir.database_url()).await;
        let spent = correct(&dir, "reverse coin/uid:5/1").unwrap_err();
        let hint = "cannot reverse: not enough points: some of its points are spent; --claw-back takes them";
        assert!(spent.contains(hint), "{spent}");
        for dry in [&["--reason", "r"][..], &["--reason", "r", "--dry-run"]] {
            let would = run(&dir, "reverse coin/uid:5/1 --claw-back", dry).unwrap();
            let lines: Vec<&str> = would.lines().collect();
            assert!(
                lines[0].starts_with("-coin of uid:5: +70 adjusted, by last day never +70"),
                "{would}"
            );
            assert!(
                lines[1].starts_with("coin of uid:5: -30 adjusted, by last day 20"),
                "{would}"
            );
            assert!(lines[1].ends_with("-12-31 -30; balance 0"), "{would}");
            assert_eq!(lines[2..], ["nothing has changed: --yes does it"]);
        }
        let nobody = correct(&dir, "reverse coin/uid:5/9 --claw-back").unwrap_err();
        assert!(
            nobody.contains("cannot reverse: there is no entry that can be corrected like that")
        );
        assert_eq!(rows(&dir.database_url()).await, before);

        let done = correct(&dir, "reverse coin/uid:5/1 --claw-back --id case-1").unwrap();
        assert_eq!(done, "done, id case-1\ncoin of uid:5: balance 0, owes 70\n");
        let again = correct(&dir, "reverse coin/uid:5/1 --claw-back --id case-2").unwrap();
        assert_eq!(
            again,
            "was done before\ncoin of uid:5: balance 0, owes 70\n"
        );
        program.audit();
        for (line, answer) in [
            ("subtract 5 -1 o2", Err(407)),
            ("get 5 60 c", Ok(0)),
            ("return 5 15 o1", Ok(5)),
            ("get 5 1 d", Ok(6)),
            // A retry is answered as the first was.
            ("get 5 60 c", Ok(0)),
            ("get 5 100 a", Ok(100)),
        ] {
            assert_eq!(call(&client, line).await, answer, "{line}");
        }
        let row = |kind: i64, num: i64, message: &str| (kind, num, message.to_owned());
        let of_case = "补差价：case-1";
        assert_eq!(
            list(&client, "5").await[..6],
            [
                row(18, 1, "合格评价d"),
                row(15, -10, of_case),
                row(22, 15, "有货币兑换失败o1"),
                row(15, -60, of_case),
                row(18, 60, "合格评价c"),
                row(15, -30, of_case),
            ]
        );
        program.audit();
        let journal = run(&dir, "journal", &[]).unwrap();
        let record = r#"{"asset":"coin","claw_back":true,"id":"case-1","owner":"uid:5","reason":"a leaked key","seq":1}"#;
        assert!(
            journal.contains(record) && journal.contains("  reverse  "),
            "{journal}"
        );
        assert!(journal.ends_with("\n1 records\n"), "{journal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_given_taken_moved_and_reinstated() {
    for dir in dirs_on_every_database() {
        let program = Program::start(&dir, &[]).await;
        let client = program.client();
        assert_eq!(call(&client, "get 5 100 a").await, Ok(100));
        assert_eq!(call(&client, "subtract 5 -40 o1").await, Ok(60));
        run(&dir, "link --uid 5 --user-key five", &[]).unwrap();
        for (line, answer) in [
            (
                "adjust key:five --asset coin --points 7 --expires never --id a1",
                "done, id a1\ncoin of uid:5: balance 67\n",
            ),
            (
                "adjust uid:5 --asset coin --points 7 --id a1",
                "was done before\ncoin of uid:5: balance 67\n",
            ),
            (
                "adjust uid:5 --asset coin --points -17 --id a2",
                "done, id a2\ncoin of uid:5: balance 50\n",
            ),
            (
                "transfer uid:5 uid:6 --asset coin --points 20 --id t1",
                "done, id t1\ncoin of uid:5: balance 30\ncoin of uid:6: balance 20\n",
            ),
            (
                "transfer uid:5 uid:6 --asset coin --points 20 --id t1",
                "was done before\ncoin of uid:5: balance 30\ncoin of uid:6: balance 20\n",
            ),
            (
                "reverse coin/key:five/2 --id r1",
                "done, id r1\ncoin of uid:5: balance 70\n",
            ),
            (
                "adjust uid:6 --asset coin --points -30 --id a3",
                "done, id a3\ncoin of uid:6: balance 0\n",
            ),
            (
                "adjust uid:6 --asset coin --points -30 --id a4",
                "nothing has changed\ncoin of uid:6: balance 0\n",
            ),
        ] {
            assert_eq!(correct(&dir, line).unwrap(), answer, "{line}");
        }
        program.audit();
        run(&dir, "expire --at 2099-12-31 --yes", &[]).unwrap();
        assert_eq!(client.total("5").await, 7);
        let back = correct(&dir, "reinstate coin/uid:5/7 --id b1").unwrap();
        assert_eq!(back, "done, id b1\ncoin of uid:5: balance 70\n");
        let again = correct(&dir, "reinstate coin/uid:5/7 --expires never").unwrap();
        assert_eq!(again, "was done before\ncoin of uid:5: balance 70\n");
        program.audit();
        let kinds: Vec<(i64, i64)> = list(&client, "5")
            .await
            .into_iter()
            .map(|(kind, num, _)| (kind, num))
            .collect();
        let expected = [
            (15, 63),
            (16, -63),
            (15, 40),
            (15, -20),
            (15, -17),
            (15, 7),
            (19, -40),
            (18, 100),
        ];
        assert_eq!(kinds, expected);
        // Each has its record, and a correction under another one's id is refused.
        let journal = run(&dir, "journal", &[]).unwrap();
        for part in [
            "7 records",
            r#"{"asset":"coin","id":"t1","owner":"uid:5","points":20,"reason":"a leaked key","to":"uid:6"}"#,
        ] {
            assert!(journal.contains(part), "{part}: {journal}");
        }
        let used = correct(&dir, "adjust uid:5 --asset coin --points 8 --id a1").unwrap_err();
        assert!(
            used.contains("cannot adjust: the reference was used with other content"),
            "{used}"
        );
        program.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_correction_is_refused() {
    let dir = ProgramDir::new().on_sqlite();
    let absent = correct(&dir, "adjust uid:5 --asset coin --points 5").unwrap_err();
    assert!(absent.contains("there is no ledger at "), "{absent}");
    let program = Program::start(&dir, &[]).await;
    assert_eq!(call(&program.client(), "get 5 100 a").await, Ok(100));
    let entry = "an entry is ASSET/OWNER/NUMBER, as in coin/uid:5/7";
    for (line, why) in [
        (
            "adjust uid:5 --asset coins --points 5",
            "there are no points of coins",
        ),
        (
            "adjust uid:5 --asset=-coin --points 5",
            "there are no points of -coin",
        ),
        (
            "adjust 5 --asset coin --points 5",
            "an owner is uid:N or key:K",
        ),
        (
            "adjust uid:5 --asset coin --points 0",
            "there is nothing to adjust by 0 points",
        ),
        ("adjust uid:5 --asset coin --points x", "invalid value"),
        (
            "adjust uid:5 --asset coin --points 1000000000001",
            "is not in",
        ),
        (
            "adjust uid:5 --asset coin --points 5 --expires soon",
            "neither a day, YYYY-MM-DD, nor never",
        ),
        (
            "adjust uid:5 --asset coin --points 5 --dry-run",
            "cannot be used with",
        ),
        (
            "transfer uid:5 uid:5 --asset coin --points 5",
            "uid:5 and uid:5 are one person",
        ),
        (
            "transfer uid:5 uid:6 --asset coin --points 101",
            "cannot transfer: not enough points",
        ),
        ("transfer uid:5 uid:6 --asset coin --points 0", "is not in"),
        ("reverse coin/uid:5", entry),
        ("reverse coin/uid:5/0", entry),
        ("reverse coin/uid:5/x", entry),
        ("reverse coin/5/1", "an owner is uid:N or key:K"),
        (
            "reinstate coin/uid:5/1",
            "cannot reinstate: there is no entry that can be corrected like that",
        ),
    ] {
        let error = correct(&dir, line).unwrap_err();
        assert!(error.contains(why), "{line}: {error}");
    }
    let long = "i".repeat(65);
    for (more, why) in [
        (
            &["--id", &long, "--reason", "r"][..],
            "an id has 1 to 64 characters",
        ),
        (
            &["--id", " ", "--reason", "r"],
            "an id has 1 to 64 characters",
        ),
        (&["--reason", ""], "a reason has 1 to 500 characters"),
        (&[], "--reason <TEXT>"),
    ] {
        let error = run(&dir, "adjust uid:5 --asset coin --points 5 --yes", more).unwrap_err();
        assert!(error.contains(why), "{more:?}: {error}");
    }
    assert_eq!(run(&dir, "journal", &[]).unwrap(), "0 records\n");
    assert_eq!(program.client().total("5").await, 100);
    // A frozen account can be corrected.
    run(&dir, "freeze uid:5 --all --reason r --yes", &[]).unwrap();
    let taken = correct(&dir, "adjust uid:5 --asset coin --points -30 --id a").unwrap();
    assert_eq!(taken, "done, id a\ncoin of uid:5: balance 70\n");
    program.audit();
}

/// A link gives an entry no second chance, and leads no entry's name to another entry.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_keeps_its_name_over_a_link() {
    for dir in dirs_on_every_database() {
        let program = Program::start(&dir, &[]).await;
        let client = program.client();
        let shine = [
            ("method", "status.add_diamond"),
            ("user_key", "six"),
            ("count", "9"),
            ("change_type", "T"),
        ];
        client.call_ok(&shine).await;
        client.call_ok(&shine).await;
        for line in ["get 5 100 a", "get 6 7 b"] {
            call(&client, line).await.unwrap();
        }
        let first = correct(&dir, "reverse diamond/key:six/1 --id r").unwrap();
        assert_eq!(first, "done, id r\ndiamond of key:six: balance 9\n");
        for points in ["5", "-5"] {
            let line = format!("adjust key:five --asset coin --points {points} --id a{points}");
            correct(&dir, &line).unwrap();
        }
        for (uid, key) in [("5", "five"), ("6", "six")] {
            run(&dir, &format!("link --uid {uid} --user-key {key}"), &[]).unwrap();
        }
        for name in ["uid:6", "key:six"] {
            let again = correct(&dir, &format!("reverse diamond/{name}/1")).unwrap();
            assert_eq!(
                again, "was done before\ndiamond of key:six: balance 9\n",
                "{name}"
            );
        }
        let behind = correct(&dir, "reverse coin/key:five/1").unwrap_err();
        let why = "a link left coin of key:five behind, empty: its entries are beyond correction\n";
        assert!(behind.contains(why), "{behind}");
        assert_eq!(client.total("5").await, 100);
        let other = correct(&dir, "reverse coin/uid:5/1 --id s").unwrap();
        assert_eq!(other, "done, id s\ncoin of uid:5: balance 0\n");
        program.audit();
    }
}

/// An entry is reversed once, however many operators do it at once.
#[tokio::test(flavor = "multi_thread")]
async fn operators_who_correct_at_once_correct_once() {
    const OPERATORS: usize = 5;
    for dir in dirs_on_every_database() {
        let program = Program::start(&dir, &[]).await;
        let client = program.client();
        assert_eq!(call(&client, "get 5 100 a").await, Ok(100));
        assert_eq!(call(&client, "get 5 100 b").await, Ok(200));
        let reverse = |_| {
            let words = ["reverse", "coin/uid:5/1", "--reason", "r", "--yes"];
            dir.spawn(&words, &[])
        };
        let children: Vec<_> = (0..OPERATORS).map(reverse).collect();
        let mut done = 0;
        for child in children {
            let out = child.wait_with_output().unwrap();
            assert!(out.status.success(), "{}", text(&out.stderr));
            done += usize::from(text(&out.stdout).starts_with("done"));
        }
        assert_eq!((done, client.total("5").await), (1, 100));
        assert!(
            run(&dir, "journal", &[])
                .unwrap()
                .ends_with("\n1 records\n")
        );
        program.audit();
    }
}
