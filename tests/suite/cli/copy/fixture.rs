//! A ledger with rows in every table, its answers to requests, and the rows of its database.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::process::Output;
use std::time::SystemTime;

use entity::{message, payment};
use sea_orm::{Database, DatabaseConnection, EntityTrait, IntoActiveModel};
use serde_json::json;

use crate::database::servers;
use crate::older::{age, recount};
use crate::openapi::client::{ENVELOPE_SIGNER, PARTNERS};
use crate::osx::client::{COMMUNITY, sign_action, sign_query as sign_community_query};
use crate::program::{CONFIG, Client, Program, ProgramDir, sign_query, text};

/// A text of characters that are special in SQL, JSON or encodings.
pub const TEXT: &str = "a \"gift\" 🎁 of 'Ann' \\ %_;--  ü 字";
/// A text as earlier versions stored it: with control characters.
const OLD_TEXT: &str = "a\n\tü\u{1b}[2J\u{9b}31m字";

/// Requests to a ledger and their answers.
pub struct RecordedLedger {
    /// Path and query of each request, and its answer from now on.
    requests: Vec<(String, String)>,
    /// A partner's envelope whose nonce has been used.
    envelope: String,
}

/// A directory with all dialects configured, on SQLite.
pub fn new_dir() -> ProgramDir {
    // A limit, so that its table has a row.
    let community = COMMUNITY.replace("[osx]", "[osx]\nmax_points_per_day = 1000000");
    ProgramDir::with_config(&format!("{CONFIG}{PARTNERS}{community}")).on_sqlite()
}

/// One such directory per available database: SQLite, and each server that the environment names.
pub fn dirs_on_every_database() -> Vec<ProgramDir> {
    let on_servers = servers().map(|server| new_dir().on_server(server));
    [new_dir()].into_iter().chain(on_servers).collect()
}

fn gateway(parameters: &[(&str, &str)]) -> String {
    format!("/gateway?{}", sign_query(parameters))
}

fn coins<'p>(method: &'p str, uid: &'p str, num: &'p str, key: &'p str) -> [(&'p str, &'p str); 6] {
    let (name, kind) = match method {
        "app.yohocoin.get" => ("referenceId", "18"),
        "app.yohocoin.subtract" => ("orderCode", "19"),
        _ => ("orderCode", "22"),
    };
    [
        ("method", method),
        ("uid", uid),
        ("num", num),
        ("type", kind),
        (name, key),
        ("message", TEXT),
    ]
}

fn notify(call: &str) -> String {
    let end = i64::try_from(seconds()).unwrap() + 3600;
    format!("/userActionNotify?{}", sign_action(call, end))
}

fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// Fills a ledger through a running program, which is stopped at the end.
pub async fn fill(dir: &ProgramDir) -> RecordedLedger {
    let mut program = Program::start(dir, &[]).await;
    let client = program.client();
    for uid in ["1001", "1002", "1003"] {
        client
            .call_ok(&coins("app.yohocoin.get", uid, "100", "first"))
            .await;
    }
    let expired = dir.run(&["expire", "--at", "2099-12-31", "--yes"]);
    let expired = text(&expired.stdout);
    assert_eq!(expired, "expired points in 3 accounts\n");
    // So far an older program wrote it. The next command to open the ledger lets the journal vouch for that.
    age(&open(&dir.database_url()).await).await;
    let mut requests = Vec::new();
    for (method, num, key) in [
        ("app.yohocoin.get", "70", "second"),
        ("app.yohocoin.subtract", "-50", "o'1"),
        ("app.yohocoin.return", "20", "o'1"),
    ] {
        requests.push(gateway(&coins(method, "1001", num, key)));
    }
    call_status_methods(&client).await;
    requests.extend(["key-a>key-b 5 post t1", "key-b>key-a 6 like t2"].map(notify));
    requests.push(format!(
        "/getUserInfo?{}",
        sign_community_query(&format!(
            "user_token=key-a&appKey=testappkey&endtimestamp={}",
            seconds() + 3600
        ))
    ));
    for uid in ["1001", "1002", "1003", "9"] {
        for method in ["app.yohocoin.total", "app.yohocoin.lists"] {
            requests.push(gateway(&[("method", method), ("uid", uid)]));
        }
    }
    let envelope = spend_a_nonce(&client).await;
    let linked = dir.run(&["link", "--uid", "1003", "--user-key", "linked"]);
    assert!(linked.status.success(), "{}", text(&linked.stderr));
    // What the member owes is an account of its own.
    let owed = [
        "adjust",
        "uid:1003",
        "--asset",
        "coin",
        "--points",
        "-5",
        "--claw-back",
        "--reason",
        TEXT,
        "--yes",
    ];
    let owed = dir.run(&owed);
    assert!(owed.status.success(), "{}", text(&owed.stderr));
    let frozen = dir.run(&["freeze", "uid:77", "--all", "--reason", TEXT, "--yes"]);
    assert!(frozen.status.success(), "{}", text(&frozen.stderr));
    let key = dir.run(&["seal", "keygen", "seal.key"]);
    assert!(key.status.success(), "{}", text(&key.stderr));
    let sealed = dir.run_with(&["seal"], &[("POINTGATE__SEAL__KEY_FILE", "seal.key")]);
    assert!(sealed.status.success(), "{}", text(&sealed.stderr));
    let mut recorded = RecordedLedger {
        requests: Vec::new(),
        envelope,
    };
    let mut first = Vec::new();
    for path in &requests {
        let answer = client.get(path).await.unwrap().text;
        assert!(answer.contains(r#""code":200"#), "{path}: {answer}");
        first.push(answer);
    }
    for (path, first) in requests.into_iter().zip(first) {
        let answer = client.get(&path).await.unwrap().text;
        // A repeated action is answered with the current balances, and a spend whose order has had points back is no retry.
        let is_refused = path.contains("subtract") && answer.contains(r#""code":410"#);
        assert!(answer == first || path.starts_with("/userActionNotify") || is_refused);
        recorded.requests.push((path, answer));
    }
    assert!(program.terminate().await.success());
    let db = open(&dir.database_url()).await;
    insert_payments_and_messages(&db).await;
    recount(&db).await;
    recorded
}

async fn call_status_methods(client: &Client) {
    let all: [&[(&str, &str)]; 5] = [
        &[
            ("method", "status.add_diamond"),
            ("count", "100"),
            ("change_type", TEXT),
            ("identity", "5"),
        ],
        &[("method", "status.sports_envious.v2"), ("envious", "-30")],
        &[("method", "status.update_profile"), ("description", TEXT)],
        &[
            ("method", "status.follow_public_account"),
            ("account", "shop"),
        ],
        &[("method", "status.extend_light"), ("time", "3")],
    ];
    for parameters in all {
        let user = [("user_key", "key-a")];
        client.call_ok(&[parameters, &user].concat()).await;
    }
}

/// Adds points as a partner and returns the envelope.
async fn spend_a_nonce(client: &Client) -> String {
    let params = json!({"balance": 10, "bizId": "b", "customerId": 1002, "reason": TEXT});
    let at = i64::try_from(seconds()).unwrap();
    let envelope = ENVELOPE_SIGNER.envelope(at, "n1", "user.points-add", &params);
    let envelope = envelope.to_string();
    let answer = partner(client, &envelope).await;
    assert!(answer.contains(r#""code":0,"#), "{answer}");
    envelope
}

async fn partner(client: &Client, envelope: &str) -> String {
    let url = format!("{}/api/v2", client.base);
    let request = client.http.post(url).body(envelope.to_owned());
    Client::send(request).await.unwrap().text
}

/// Inserts rows that otherwise only the payment provider and the broker cause.
async fn insert_payments_and_messages(db: &DatabaseConnection) {
    let nothing = payment::Model {
        event_id: "evt".into(),
        charge_id: None,
        kind: "refund.succeeded".into(),
        object: None,
        order_no: None,
        amount: None,
        amount_settle: None,
        currency: None,
        channel: None,
        transaction_no: None,
        user_key: None,
        created: None,
        time_paid: None,
        at: i64::MIN,
        subject: "evt".into(),
        subject_seq: 0,
    };
    let all = payment::Model {
        event_id: "Evt".into(),
        charge_id: Some(OLD_TEXT.into()),
        amount: Some(i64::MAX),
        amount_settle: Some(0),
        order_no: Some(String::new()),
        subject: TEXT.into(),
        subject_seq: i64::MAX,
        ..nothing.clone()
    };
    for row in [nothing, all] {
        let row = payment::Entity::insert(row.into_active_model());
        row.exec_without_returning(db).await.unwrap();
    }
    for (key, result) in [(0, "{}"), (255, OLD_TEXT)] {
        let row = message::Model {
            message_key: vec![key; 16],
            at: 1,
            result: result.into(),
            fingerprint: (key > 0).then(|| vec![key; 16]),
        };
        let row = message::Entity::insert(row.into_active_model());
        row.exec_without_returning(db).await.unwrap();
    }
}

impl RecordedLedger {
    /// Serves the ledger in `dir`, which must answer as recorded and accept new writes.
    pub async fn assert_same_in(&self, dir: &ProgramDir) {
        let program = Program::start(dir, &[]).await;
        let client = program.client();
        for (path, answer) in &self.requests {
            assert_eq!(&client.get(path).await.unwrap().text, answer, "{path}");
        }
        let replayed = r#"{"status":false,"code":110005,"message":"Nonce已被使用"}"#;
        assert_eq!(partner(&client, &self.envelope).await, replayed);
        let new = coins("app.yohocoin.get", "2000", "7", "third");
        client.call_ok(&new).await;
        assert_eq!(client.total("2000").await, 7);
        let before = client.total("1001").await;
        client
            .call_ok(&coins("app.yohocoin.subtract", "1001", "-5", "o3"))
            .await;
        assert_eq!(client.total("1001").await, before - 5);
        let user = ("user_key", "new user");
        let line = ("description", "x");
        client
            .call_ok(&[("method", "status.update_profile"), user, line])
            .await;
        let answer = client.get(&notify("key-c 7 post t3")).await.unwrap().text;
        assert!(answer.contains(r#""msg":"ok""#), "{answer}");
        program.audit();
    }
}

/// Runs `copy` to its end.
pub fn copy(from: &str, to: &str) -> Output {
    ProgramDir::empty().run(&["copy", "--from", from, "--to", to])
}

/// Opens a second connection to a database.
pub async fn open(url: &str) -> DatabaseConnection {
    Database::connect(url).await.unwrap()
}

/// The rows of each table, as text.
pub type Rows = BTreeMap<&'static str, Vec<String>>;

/// Reads all rows of all tables.
pub async fn rows(url: &str) -> Rows {
    let db = &open(url).await;
    let mut rows = Rows::new();
    macro_rules! read {
        ($($table:ident)*) => {$(
            let found = entity::$table::Entity::find().all(db).await.unwrap();
            rows.insert(stringify!($table), sorted(&found));
        )*};
    }
    read!(account action contra credit_allowance daily_limit_slot entry follow frozen_owner identity journal key_use lot member message nonce opening origin payment seal sealed_account tally);
    rows
}

/// Sorts in Rust, since each database has its own collation.
fn sorted(rows: &[impl Debug]) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort_unstable();
    rows
}

/// Whether all tables exist and are empty.
pub async fn is_empty(url: &str) -> bool {
    rows(url).await.values().all(Vec::is_empty)
}
