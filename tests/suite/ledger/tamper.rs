//! Tampering: the audit finds any change behind the program's back, and names the account.

use std::collections::HashMap;

use entity::entry;
use pointgate::ledger::book::entry::Hash;
use pointgate::ledger::book::transaction::AccountKey;
use pointgate::ledger::read::entries;
use sea_orm::{
    ActiveModelTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, EntityTrait,
    IntoActiveModel, QueryOrder, Set,
};

use crate::program::{Program, ProgramDir, text};

/// The account that the test tampers with.
const VICTIM: &str = "coin of uid:1001: ";

/// The victim's history: six entries, of which the third and the last spend and the fourth returns.
const HISTORY: [&[(&str, &str)]; 6] = [
    &[
        ("method", "app.yohocoin.get"),
        ("num", "100"),
        ("type", "18"),
        ("referenceId", "a"),
        ("message", "a review"),
        ("pid", "7"),
    ],
    &[
        ("method", "app.yohocoin.get"),
        ("num", "50"),
        ("type", "18"),
        ("referenceId", "b"),
    ],
    &[
        ("method", "app.yohocoin.subtract"),
        ("num", "-30"),
        ("type", "19"),
        ("orderCode", "o1"),
    ],
    &[
        ("method", "app.yohocoin.return"),
        ("num", "10"),
        ("type", "22"),
        ("orderCode", "o1"),
    ],
    &[
        ("method", "app.yohocoin.get"),
        ("num", "25"),
        ("type", "17"),
        ("referenceId", "c"),
    ],
    &[
        ("method", "app.yohocoin.subtract"),
        ("num", "-20"),
        ("type", "20"),
        ("orderCode", "o2"),
    ],
];

/// Statements, in which `$a` is the victim's account, and what the audit names after each.
const TAMPERED: [(&str, &str); 56] = [
    (
        "UPDATE account SET balance = balance + 1 WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET balance = -1 - balance WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET balance = balance + 1 WHERE id = $a; UPDATE lot SET remaining = remaining + 1 WHERE account_id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET head = zeroblob(32) WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET head = (SELECT hash FROM entry WHERE account_id = $a AND seq = 5) WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET last_seq = last_seq + 1 WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET last_seq = last_seq - 1 WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET income_seq = income_seq + 1 WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET last_at = last_at + 1 WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET next_expiry = next_expiry + 1 WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET next_expiry = NULL WHERE id = $a",
        VICTIM,
    ),
    (
        "UPDATE account SET owner = 'uid:9' WHERE id = $a",
        "coin of uid:9: ",
    ),
    ("DELETE FROM account WHERE id = $a", "entries"),
    (
        "UPDATE entry SET amount = amount + 1 WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET amount = amount + 1, balance_after = balance_after + 1 WHERE account_id = $a AND seq = 6",
        VICTIM,
    ),
    (
        "UPDATE entry SET balance_after = balance_after + 1 WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET message = 'another' WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "UPDATE entry SET message = NULL WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "UPDATE entry SET message = '' WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET at = at - 1 WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "UPDATE entry SET at = at + 1 WHERE account_id = $a AND seq = 6",
        VICTIM,
    ),
    (
        "UPDATE entry SET reference = 'z' WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET operator = 8 WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "UPDATE entry SET operator = NULL WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "UPDATE entry SET reason = 17 WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "UPDATE entry SET contra = 'redeemed' WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "UPDATE entry SET contra = 'nobody' WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "UPDATE entry SET direction = 2, direction_seq = 9 WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET direction_seq = 9 WHERE account_id = $a AND seq = 6",
        VICTIM,
    ),
    (
        "UPDATE entry SET hash = zeroblob(32) WHERE account_id = $a AND seq = 6",
        VICTIM,
    ),
    (
        "DELETE FROM entry WHERE account_id = $a AND seq = 1",
        VICTIM,
    ),
    (
        "DELETE FROM entry WHERE account_id = $a AND seq = 3",
        VICTIM,
    ),
    (
        "DELETE FROM entry WHERE account_id = $a AND seq = 6",
        VICTIM,
    ),
    ("DELETE FROM entry WHERE account_id = $a", VICTIM),
    (
        "INSERT INTO entry (account_id, seq, at, reason, amount, balance_after, contra, direction, direction_seq, hash) \
         SELECT account_id, 7, at, reason, amount, balance_after, contra, direction, 9, hash FROM entry WHERE account_id = $a AND seq = 6",
        VICTIM,
    ),
    (
        "UPDATE entry SET seq = 7 WHERE account_id = $a AND seq = 6",
        VICTIM,
    ),
    (
        "UPDATE entry SET seq = 70 + seq WHERE account_id = $a AND seq < 3; UPDATE entry SET seq = 73 - seq WHERE account_id = $a AND seq > 70",
        VICTIM,
    ),
    (
        "UPDATE lot SET remaining = remaining + 1 WHERE account_id = $a",
        VICTIM,
    ),
    ("UPDATE lot SET remaining = 0 WHERE account_id = $a", VICTIM),
    ("DELETE FROM lot WHERE account_id = $a", VICTIM),
    (
        "INSERT INTO lot SELECT account_id, expires_at + 1, 5 FROM lot WHERE account_id = $a",
        VICTIM,
    ),
    (
        "UPDATE entry SET order_key = NULL WHERE account_id = $a AND seq = 3",
        VICTIM,
    ),
    (
        "UPDATE entry SET request_id = request_id || 'x' WHERE account_id = $a AND seq = 3",
        VICTIM,
    ),
    (
        "UPDATE entry SET recorded_at = recorded_at + 1 WHERE account_id = $a AND seq = 6",
        VICTIM,
    ),
    (
        "UPDATE entry SET idempotency_balance = 999 WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET idempotency_balance = NULL WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET fingerprint = NULL WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET fingerprint = zeroblob(15) WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET idempotency_key = zeroblob(16) WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    (
        "UPDATE entry SET idempotency_key = NULL, fingerprint = NULL, idempotency_balance = NULL WHERE account_id = $a",
        VICTIM,
    ),
    (
        "UPDATE entry SET idempotency_key = NULL WHERE account_id = $a AND seq = 2",
        VICTIM,
    ),
    ("INSERT INTO lot VALUES (99, 5, 5)", "account 99: "),
    (
        "UPDATE contra SET balance = balance + 1 WHERE name = 'issued'",
        "coin issued: ",
    ),
    (
        "UPDATE contra SET balance = balance - 1 WHERE name = 'redeemed'",
        "coin redeemed: ",
    ),
    ("DELETE FROM contra WHERE name = 'issued'", "contra"),
    ("INSERT INTO identity VALUES ('uid:1001', '', 'u')", VICTIM),
];

#[tokio::test]
async fn the_audit_finds_any_change() {
    let ledger = small_ledger().await;
    let mut missed = Vec::new();
    let untouched = copy(&ledger);
    let audit = untouched.run(&["audit"]);
    assert!(audit.status.success(), "{}", text(&audit.stderr));
    for (sql, named) in TAMPERED {
        let dir = copy(&ledger);
        let database = open(&dir).await;
        let sql = sql.replace("$a", "(SELECT id FROM account WHERE owner = 'uid:1001')");
        let changes = database.execute_unprepared(&sql).await.unwrap();
        assert!(changes.rows_affected() > 0, "it changed nothing: {sql}");
        database.close().await.unwrap();
        missed.extend(unnoticed(&dir, named).map(|output| format!("{sql}\n    {output}")));
    }
    assert!(missed.is_empty(), "unnoticed:\n{}", missed.join("\n"));
}

#[tokio::test]
async fn the_audit_finds_an_entry_with_a_matching_hash() {
    let ledger = small_ledger().await;
    // The first and the last entry whose hashes are made to match.
    for (first, last) in [(1, 1), (3, 3), (6, 6), (1, 5), (1, 6)] {
        let dir = copy(&ledger);
        let database = open(&dir).await;
        forge(&database, first, last).await;
        database.close().await.unwrap();
        let missed = unnoticed(&dir, VICTIM);
        assert_eq!(missed, None, "entries {first} to {last} were forged");
    }
}

/// The audit does not blame the rows of a missing account on the next one.
#[tokio::test]
async fn a_missing_account_is_not_blamed_on_another() {
    let ledger = small_ledger().await;
    let database = open(&ledger).await;
    let gone = "DELETE FROM account WHERE owner = 'uid:1002'";
    database.execute_unprepared(gone).await.unwrap();
    database.close().await.unwrap();
    let audit = ledger.run(&["audit"]);
    let output = text(&audit.stderr);
    assert_eq!(audit.status.code(), Some(1), "{output}");
    assert!(
        !output.contains("uid:1001") && !output.contains("uid:1003"),
        "{output}"
    );
}

/// The audit's output, if it does not fail or does not name this.
fn unnoticed(dir: &ProgramDir, named: &str) -> Option<String> {
    let audit = dir.run(&["audit"]);
    let output = text(&audit.stdout) + &text(&audit.stderr);
    let found = audit.status.code() == Some(1) && output.contains(named);
    (!found).then_some(output)
}

async fn small_ledger() -> ProgramDir {
    let mut program = Program::start(&ProgramDir::new().on_sqlite(), &[]).await;
    let client = program.client();
    for uid in ["1001", "1002", "1003"] {
        for step in HISTORY {
            client.call_ok(&[step, &[("uid", uid)]].concat()).await;
        }
    }
    assert!(program.terminate().await.success());
    program.dir.clone()
}

fn copy(ledger: &ProgramDir) -> ProgramDir {
    let dir = ProgramDir::new().on_sqlite();
    std::fs::create_dir(dir.path("data")).unwrap();
    let log = ledger.path("data/pointgate.db-wal");
    assert!(!log.exists(), "a stop folds the write-ahead log in");
    std::fs::copy(ledger.database_file(), dir.database_file()).unwrap();
    dir
}

/// Opens the file without its constraints.
async fn open(dir: &ProgramDir) -> DatabaseConnection {
    let url = format!("sqlite://{}", dir.database_file().display());
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await.unwrap();
    let without_constraints = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON";
    database
        .execute_unprepared(without_constraints)
        .await
        .unwrap();
    database
}

/// Rewrites the message of the victim's entry `first`, and the hashes of `first` to `last`.
async fn forge(database: &DatabaseConnection, first: i64, last: i64) {
    let rows = entry::Entity::find()
        .order_by_asc(entry::Column::AccountId)
        .order_by_asc(entry::Column::Seq)
        .all(database)
        .await
        .unwrap();
    let account = AccountKey {
        owner: "uid:1001".into(),
        asset: "coin".into(),
    };
    let ids = rows.iter().filter_map(|row| row.origin_id).collect();
    let origins = entries::origins(database, &ids).await.unwrap();
    let origins = origins.into_iter().map(|(id, it)| (id, it.digest()));
    let origins: HashMap<i64, Hash> = origins.collect();
    let mut head = Hash::default();
    for row in rows.into_iter().take(HISTORY.len()) {
        let message = match row.seq == first {
            true => Some("forged".to_owned()),
            false => row.message.clone(),
        };
        let mut entry = entries::from_row(&account, &row, &origins).unwrap();
        entry.message.clone_from(&message);
        head = entry.hash_after(&head);
        if row.seq < first {
            assert_eq!(
                row.hash, head,
                "the test computes another hash than the ledger"
            );
        } else if row.seq <= last {
            let mut forged = row.into_active_model();
            forged.message = Set(message);
            forged.hash = Set(head.to_vec());
            forged.update(database).await.unwrap();
        }
    }
}
