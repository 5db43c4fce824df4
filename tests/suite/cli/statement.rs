//! `pointgate statement` and `pointgate liability`: the movements of a member in each form, and sums that tie to the audit to the point.

use std::fs;

use serde_json::Value;

use crate::program::{CONFIG, Program, ProgramDir, text};

const SEALING: &str = "[seal]\nkey_file = 'seal.key'\n";

/// A ledger in which a member earns, spends and gets back, and another one only earns.
async fn filled() -> ProgramDir {
    let dir = ProgramDir::with_config(CONFIG);
    assert!(dir.run(&["seal", "keygen", "seal.key"]).status.success());
    dir.write("gateway.toml", &format!("{CONFIG}{SEALING}"));
    let mut program = Program::start(&dir, &[]).await;
    program
        .wait_for_log("seal 1, audit passed: 0 accounts")
        .await;
    let client = program.client();
    let call = async |method: &str, uid: &str, num: &str, reference: &str, message: &str| {
        let mut parameters = vec![
            ("method", method),
            ("uid", uid),
            ("num", num),
            ("type", "18"),
            ("referenceId", reference),
            ("pid", "7"),
        ];
        if !message.is_empty() {
            parameters.push(("message", message));
        }
        client.call_ok(&parameters).await;
    };
    call("app.yohocoin.get", "5", "100", "first", "=1+1,<b>\"x\"").await;
    call("app.yohocoin.get", "6", "7", "second", "").await;
    let order = |method: &'static str, num: &'static str| {
        [
            ("method", method),
            ("uid", "5"),
            ("num", num),
            ("type", "19"),
            ("orderCode", "1234"),
        ]
    };
    client.call_ok(&order("app.yohocoin.subtract", "-30")).await;
    let mut returned = order("app.yohocoin.return", "10");
    returned[3] = ("type", "22");
    client.call_ok(&returned).await;
    program.terminate().await;
    dir
}

fn run(dir: &ProgramDir, arguments: &[&str]) -> String {
    let out = dir.run(arguments);
    assert!(out.status.success(), "{arguments:?}: {}", text(&out.stderr));
    text(&out.stdout)
}

const PERIOD: [&str; 4] = ["--from", "2000-01-01", "--to", "2999-12-31"];

fn statement(dir: &ProgramDir, owner: &str, form: &[&str]) -> String {
    let arguments = [&["statement", owner, "--asset", "coin"], &PERIOD[..], form];
    run(dir, &arguments.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_has_each_movement_in_each_form() {
    let dir = filled().await;
    let output = statement(&dir, "uid:5", &[]);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "coin of uid:5, 2000-01-01 to 2999-12-31");
    assert_eq!(lines[1], "opening 0");
    for (line, parts) in lines[2..5].iter().zip([
        [
            "1  ",
            "  +100  100  issued  =1+1,<b>\"x\"  android over yoho, by its current key",
        ],
        [
            "2  ",
            "  -30  70  redeemed  兑换实物1234  android over yoho, by its current key",
        ],
        [
            "3  ",
            "  +10  80  returned  有货币兑换失败1234  android over yoho, by its current key",
        ],
    ]) {
        assert!(
            line.starts_with(parts[0]) && line.ends_with(parts[1]),
            "{line}"
        );
    }
    assert_eq!(lines[5], "closing 80");
    assert!(lines[6].starts_with("  80 until "), "{output}");
    assert_eq!(lines.len(), 7);

    let json: Value = serde_json::from_str(&statement(&dir, "uid:5", &["--json"])).unwrap();
    assert_eq!(
        (&json["opening"], &json["closing"]),
        (&0.into(), &80.into())
    );
    assert_eq!(json["entries"].as_array().unwrap().len(), 3);
    assert_eq!(json["entries"][2]["words"]["movement"], "returned");
    assert_eq!(json["entries"][0]["origin"]["caller"], "android");
    assert_eq!(json["entries"][0].get("address"), None);
    assert_eq!(json["lots"][0]["points"], 80);

    let csv = statement(&dir, "uid:5", &["--csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 6, "{csv}");
    assert_eq!(&rows[1][5], "'=1+1,<b>\"x\"");
    assert_eq!(
        (&rows[0][4], &rows[4][3], &rows[5][4]),
        ("opening", "80", "lot")
    );

    let html = statement(&dir, "uid:5", &["--html"]);
    assert!(html.starts_with("<!DOCTYPE html>"), "{html}");
    assert!(
        html.contains("<td>=1+1,&lt;b&gt;&quot;x&quot;</td>"),
        "{html}"
    );
    assert!(!html.contains("<b>"), "{html}");

    let later = [
        "statement",
        "uid:5",
        "--asset",
        "coin",
        "--from",
        "2998-01-01",
        "--to",
        "2998-01-01",
    ];
    let output = run(&dir, &later);
    assert!(output.contains("\nopening 80\nclosing 80\n"), "{output}");
    let output = statement(&dir, "uid:404", &[]);
    assert!(output.ends_with("\nopening 0\nclosing 0\n"), "{output}");
    for (arguments, why) in [
        (
            ["5", "--from", "2026-01-01", "2026-01-01"],
            "an owner is uid:N or key:K",
        ),
        (
            ["uid:5", "--from", "2026-01-02", "2026-01-01"],
            "the period ends on 2026-01-01, before it begins",
        ),
    ] {
        let [owner, from, begin, end] = arguments;
        let out = dir.run(&[
            "statement",
            owner,
            "--asset",
            "coin",
            from,
            begin,
            "--to",
            end,
        ]);
        assert_eq!(out.status.code(), Some(1));
        assert!(text(&out.stderr).contains(why), "{}", text(&out.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_a_new_file_and_whole() {
    let dir = filled().await;
    let proving = |owner: &str, file: &str, more: &[&str]| {
        let arguments = [
            "statement",
            owner,
            "--asset",
            "coin",
            "--from",
            "2000-01-01",
            "--to",
        ];
        let today = ["2999-12-31", "--proof", file];
        dir.run(&[&arguments[..], &today, more].concat())
    };
    // The server sealed when it began, before there was an entry.
    let out = proving("uid:5", "proof", &[]);
    assert_eq!(out.status.code(), Some(1));
    let why = "entry 1 of the account is not sealed yet: run `pointgate seal`";
    assert!(text(&out.stderr).contains(why), "{}", text(&out.stderr));
    assert!(!dir.path("proof").exists());
    let sealed = run(&dir, &["seal"]);
    let note: Vec<&str> = sealed.lines().skip(2).collect();
    dir.write("checkpoint", &format!("{}\n", note.join("\n")));
    let out = proving("uid:5", "proof", &["--checkpoint", "checkpoint"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let why = "proof: 3 entries, from the first entry to seal 2\n";
    assert!(text(&out.stderr).contains(why), "{}", text(&out.stderr));
    let lines = fs::read_to_string(dir.path("proof")).unwrap();
    assert_eq!(lines.lines().count(), 6);
    assert!(!lines.contains("127.0.0.1"), "{lines}");
    // Never over another file.
    let out = proving("uid:5", "proof", &[]);
    assert!(!out.status.success());
    assert_eq!(fs::read_to_string(dir.path("proof")).unwrap(), lines);
    dir.write("checkpoint", "x");
    let out = proving("uid:5", "other", &["--checkpoint", "checkpoint"]);
    assert!(text(&out.stderr).contains("checkpoint: this is not a signed note"));
    let out = proving("uid:404", "absent", &[]);
    assert!(out.status.success(), "{}", text(&out.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_liability_ties_to_the_audit_to_the_point() {
    let dir = filled().await;
    let audit = run(&dir, &["audit"]);
    assert!(
        audit.starts_with("audit passed: 2 accounts, 4 entries, 87 points\n"),
        "{audit}"
    );
    let sum = |values: &mut dyn Iterator<Item = &Value>| -> i128 {
        values
            .map(|it| it.as_str().unwrap().parse::<i128>().unwrap())
            .sum()
    };
    let json: Value = serde_json::from_str(&run(&dir, &["liability", "--json"])).unwrap();
    let held = json["held"]["coin"].as_object().unwrap();
    assert_eq!(sum(&mut held.values()), 87);
    let moved = json["moved"].as_array().unwrap();
    assert_eq!(sum(&mut moved.iter().map(|flow| &flow["points"])), 87);
    let entries: i64 = moved
        .iter()
        .map(|flow| flow["entries"].as_i64().unwrap())
        .sum();
    assert_eq!(entries, 4);

    let output = run(&dir, &["liability"]);
    for line in [
        "coin: 87 points",
        "coin issued: +107 in 2 entries",
        "  reason 18  yoho/android/current  +107 in 2 entries",
        "coin redeemed: -30 in 1 entries",
        "coin returned: +10 in 1 entries",
    ] {
        assert!(output.lines().any(|it| it == line), "{line}\n{output}");
    }
    let by = |origin: &str| run(&dir, &["liability", "--origin", origin]);
    assert_eq!(by("yoho"), by("yoho/android"));
    assert!(by("yoho").contains("coin issued: +107"), "{}", by("yoho"));
    assert_eq!(by("openapi"), "");
    assert_eq!(
        run(
            &dir,
            &["liability", "--to", "2000-01-01", "--origin", "yoho"]
        ),
        ""
    );
    let out = dir.run(&["liability", "--from", "2026-01-02", "--to", "2026-01-01"]);
    assert!(text(&out.stderr).contains("the period ends before it begins"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_takes_the_file_of_a_witness() {
    let dir = filled().await;
    dir.write(
        "gateway.toml",
        &format!("{CONFIG}{SEALING}witness = 'checkpoints'\n"),
    );
    run(&dir, &["seal"]);
    run(&dir, &["seal"]);
    let output = run(&dir, &["audit", "--since", "checkpoints"]);
    // The one that the server made is published with the next.
    assert!(
        output.ends_with("the ledger extends 3 published checkpoints\n"),
        "{output}"
    );
    let notes = fs::read_to_string(dir.path("checkpoints")).unwrap();
    for (bad, why) in [
        (String::new(), "is no file of signed notes"),
        (
            notes.replace("pointgate\n2\n", "pointgate\n1\n"),
            "the signature does not fit the note",
        ),
        (
            notes[..notes.len() - 20].to_owned(),
            "is no file of signed notes",
        ),
    ] {
        dir.write("bad", &bad);
        let out = dir.run(&["audit", "--since", "bad"]);
        assert_eq!(out.status.code(), Some(1));
        assert!(
            text(&out.stderr).contains(why),
            "{why}: {}",
            text(&out.stderr)
        );
    }
}
