//! `pointgate entry`, `account` and `request`: from a request of the log to all that it caused, and back.

use serde_json::Value;

use crate::program::{CONFIG, Program, ProgramDir, text};

fn get<'p>(num: &'p str, reference: &'p str) -> [(&'p str, &'p str); 5] {
    [
        ("method", "app.yohocoin.get"),
        ("uid", "5"),
        ("num", num),
        ("type", "18"),
        ("referenceId", reference),
    ]
}

fn run(dir: &ProgramDir, arguments: &[&str]) -> Result<String, String> {
    let out = dir.run(arguments);
    match out.status.success() {
        true => Ok(text(&out.stdout)),
        false => Err(text(&out.stderr)),
    }
}

#[tokio::test]
async fn a_request_leads_to_its_entries_and_an_entry_to_its_request() {
    let dir = ProgramDir::with_config(CONFIG).on_sqlite();
    let program = Program::start(&dir, &[]).await;
    let client = program.client();
    let first = client.call(&get("100", "r1")).await.unwrap();
    let spend = [
        ("method", "app.yohocoin.subtract"),
        ("uid", "5"),
        ("num", "-30"),
        ("type", "19"),
        ("orderCode", "o1"),
    ];
    let second = client.call(&spend).await.unwrap();
    assert_eq!((first.code(), second.code()), (200, 200));

    let request = run(&dir, &["request", &first.id]).unwrap();
    let (row, count) = request.split_once('\n').unwrap();
    assert!(row.starts_with("coin/uid:5/1  "), "{request}");
    let end = format!(
        "+100  100  issued  合格评价r1  android over yoho, by its current key  {}",
        first.id
    );
    assert!(row.ends_with(&end), "{row}");
    assert_eq!(count, "1 entries\n");

    let entry = run(&dir, &["entry", "coin/uid:5/2"]).unwrap();
    for line in [
        "  points            -30\n",
        "  balance           70\n",
        "  movement          redeemed\n",
        "  type              19\n",
        "  reference         o1\n",
        "  origin            android over yoho, by its current key\n",
        "  address           127.0.0.1\n",
        &format!("  request           {}\n", second.id),
        "  answer            70\n",
    ] {
        assert!(entry.contains(line), "{line}{entry}");
    }

    let account = run(&dir, &["account", "uid:5"]).unwrap();
    assert!(
        account.starts_with("coin of uid:5: 70 points, 2 entries\n  70 until "),
        "{account}"
    );
    let newest = account.lines().nth(2).unwrap();
    assert!(
        newest.starts_with("  2  ") && newest.ends_with(&second.id),
        "{account}"
    );
    let one = run(&dir, &["account", "uid:5", "--last", "1"]).unwrap();
    assert_eq!(one.lines().count(), 3, "{one}");

    let whole: Value =
        serde_json::from_str(&run(&dir, &["entry", "coin/uid:5/2", "--json"]).unwrap()).unwrap();
    assert_eq!(whole["request_id"], second.id.as_str());
    assert_eq!(whole["origin"]["caller"], "android");
    assert_eq!(whole["origin"]["address"], "127.0.0.1");
    let listed = run(&dir, &["request", &second.id, "--json"]).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&listed).unwrap()[0], whole);
    let accounts = run(&dir, &["account", "uid:5", "--json"]).unwrap();
    let accounts: Value = serde_json::from_str(&accounts).unwrap();
    assert_eq!(accounts[0]["entries"][0], whole);
    assert_eq!(accounts[0]["balance"], 70);
    program.audit();
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let dir = ProgramDir::with_config(CONFIG).on_sqlite();
    let long = "a".repeat(65);
    for (arguments, why) in [
        (["entry", "coin/uid:5/1"], "there is no ledger"),
        (["account", "uid:5"], "there is no ledger"),
        (["request", "r"], "there is no ledger"),
    ] {
        let refused = run(&dir, &arguments).unwrap_err();
        assert!(
            refused.contains(why) || refused.contains("no database"),
            "{refused}"
        );
    }
    assert!(dir.run(&["migrate"]).status.success());
    for (arguments, why) in [
        (["entry", "coin/uid:5/1"], "there is no entry coin/uid:5/1"),
        (["entry", "coin/uid:5"], "an entry is ASSET/OWNER/NUMBER"),
        (["entry", "coin/uid:5/0"], "an entry is ASSET/OWNER/NUMBER"),
        (["entry", "coin/5/1"], "an owner is"),
        (["account", "uid:5"], "uid:5 has no account"),
        (["account", "5"], "an owner is uid:N or key:K"),
        (["request", &long], "an id has 1 to 64 characters"),
        (["request", ""], "an id has 1 to 64 characters"),
    ] {
        let refused = run(&dir, &arguments).unwrap_err();
        assert!(refused.contains(why), "{arguments:?}: {refused}");
    }
    assert_eq!(run(&dir, &["request", "r"]).unwrap(), "0 entries\n");
}
