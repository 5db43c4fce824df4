//! `pointgate audit --account`, `--json`, and `pointgate rebuild`: what follows from entries is made anew, and nothing else.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::copy::fixture::{dirs_on_every_database, fill, new_dir, open, rows};
use crate::program::{ProgramDir, text};

/// Damage to what follows from entries, and who is named.
const DAMAGE: [(&str, &str); 7] = [
    (
        "UPDATE account SET balance = balance + 5 WHERE owner = 'uid:1001'",
        "coin of uid:1001\n",
    ),
    (
        "UPDATE account SET last_seq = 1, income_seq = 1 WHERE owner = 'uid:1001'",
        "coin of uid:1001\n",
    ),
    (
        "UPDATE account SET next_expiry = 1, last_at = 1 WHERE owner = 'uid:1002'",
        "coin of uid:1002\n",
    ),
    ("DELETE FROM lot", "coin of uid:1001\n"),
    (
        "UPDATE lot SET expires_at = expires_at - 1000",
        "diamond of key:key-a\n",
    ),
    (
        "UPDATE contra SET balance = balance + 1, entries = 7 WHERE name = 'issued'",
        "coin issued\n",
    ),
    (
        "DELETE FROM contra WHERE name = 'redeemed'",
        "coin redeemed\n",
    ),
];

fn run(dir: &ProgramDir, arguments: &[&str]) -> Result<String, String> {
    let out = dir.run(arguments);
    match out.status.success() {
        true => Ok(text(&out.stdout)),
        false => Err(text(&out.stderr)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_follows_from_entries_is_made_anew() {
    for dir in dirs_on_every_database() {
        fill(&dir).await;
        let url = dir.database_url();
        let untouched = "would rebuild 0 accounts and 0 contra accounts; --yes rebuilds them\n";
        assert_eq!(run(&dir, &["rebuild"]).unwrap(), untouched);
        let before = rows(&url).await;
        for (damage, named) in DAMAGE {
            let db = open(&url).await;
            db.execute_unprepared(damage).await.unwrap();
            db.close().await.unwrap();
            let damaged = rows(&url).await;
            run(&dir, &["audit"]).unwrap_err();
            let listed = run(&dir, &["rebuild"]).unwrap();
            assert!(listed.contains(named), "{damage}: {listed}");
            assert_eq!(rows(&url).await, damaged, "{damage}");
            let rebuilt = run(&dir, &["rebuild", "--yes"]).unwrap();
            assert!(rebuilt.contains(named), "{damage}: {rebuilt}");
            let passed = run(&dir, &["audit"]).unwrap();
            assert!(passed.starts_with("audit passed: "), "{damage}: {passed}");
            let after = rows(&url).await;
            for (table, rows) in &before {
                // A contra account's sum may stand in other rows.
                if !["journal", "contra"].contains(table) {
                    assert_eq!(&after[table], rows, "{damage}: {table}");
                }
            }
        }
        let journal = run(&dir, &["journal"]).unwrap();
        assert_eq!(
            journal.matches("  rebuild  ").count(),
            DAMAGE.len(),
            "{journal}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_entry_is_not_rebuilt_upon() {
    let dir = new_dir();
    fill(&dir).await;
    let url = dir.database_url();
    let db = open(&url).await;
    for damage in [
        "UPDATE account SET balance = balance + 5 WHERE owner = 'uid:1002'",
        "UPDATE entry SET message = 'forged' WHERE seq = 1 AND account_id = \
         (SELECT id FROM account WHERE owner = 'uid:1002')",
    ] {
        db.execute_unprepared(damage).await.unwrap();
    }
    db.close().await.unwrap();
    let damaged = rows(&url).await;
    let refused = run(&dir, &["rebuild", "--yes"]).unwrap_err();
    let why = "nothing was rebuilt: coin of uid:1002: entry 1: it does not fit the chain of hashes";
    assert!(refused.contains(why), "{refused}");
    assert_eq!(rows(&url).await, damaged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_can_be_of_one_member_and_for_a_program() {
    let dir = new_dir();
    fill(&dir).await;
    let json = |arguments: &[&str]| -> (bool, Value) {
        let out = dir.run(arguments);
        (
            out.status.success(),
            serde_json::from_str(&text(&out.stdout)).unwrap(),
        )
    };
    let (passed, whole) = json(&["audit", "--json"]);
    assert!(
        passed && whole["passed"] == true && whole["checkpoints"] == 0,
        "{whole}"
    );
    assert!(
        whole["accounts"].as_u64() > Some(3) && whole["points"].is_string(),
        "{whole}"
    );
    let one = run(&dir, &["audit", "--account", "uid:1001"]).unwrap();
    assert!(one.starts_with("audit passed: 1 accounts, "), "{one}");
    // By the other name of the same member.
    let linked = run(&dir, &["audit", "--account", "key:linked"]).unwrap();
    let same = run(&dir, &["audit", "--account", "uid:1003"]).unwrap();
    assert!(linked.starts_with("audit passed: 2 accounts, "), "{linked}");
    assert_eq!(linked, same);
    let db = open(&dir.database_url()).await;
    let damage = "UPDATE lot SET remaining = remaining + 1 WHERE account_id = \
                  (SELECT id FROM account WHERE owner = 'uid:1001')";
    db.execute_unprepared(damage).await.unwrap();
    db.close().await.unwrap();
    let (passed, broken) = json(&["audit", "--account", "uid:1001", "--json"]);
    assert!(!passed && broken["passed"] == false, "{broken}");
    assert_eq!(broken["where"], json!("coin of uid:1001"));
    assert!(
        broken["why"]
            .as_str()
            .unwrap()
            .starts_with("the lot that expires at "),
        "{broken}"
    );
    run(&dir, &["audit", "--account", "uid:1002"]).unwrap();
    for (owner, why) in [
        ("uid:9", "uid:9 has no account"),
        ("9", "an owner is uid:N or key:K"),
    ] {
        let refused = run(&dir, &["audit", "--account", owner]).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}
