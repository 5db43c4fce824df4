//! A ledger of an older program, with migrations up to the ninth, on each database: it upgrades, passes the audit, and answers
//! retries as before.

use std::fmt::Write;

use entity::{action, contra, identity, lot, member, message, nonce, payment};
use pointgate::clock::Clock;
use pointgate::ledger::book::account::Allocation;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Action, ActionReceipt, Idempotency, Limit, NEVER, Nonce, Posting, PostingKind,
    Reason, Receipt, Rejection, Transaction,
};
use pointgate::ledger::{ApplyError, Ledger, Settings};
use pointgate::members::{Light, MemberName, Members, MessageKey};
use pointgate::points::EXPIRED;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait};

use super::journal::operator;
use crate::database::{Home, databases};
use crate::older::{Older, older_accounts};

/// The migrations of the older program.
const BEFORE: usize = 9;
/// The time at which everything happens (ms).
const NOW: i64 = 1_779_247_832_000;
/// The light that a message asks for.
const LIGHT: Light = Light {
    time: 1000,
    last: NEVER,
};
/// The steps of the migration that MySQL may have committed before it was cut off.
const STEPS: [&str; 6] = [
    "RENAME TABLE `alias` TO `identity`",
    "RENAME TABLE `counter` TO `contra`",
    "RENAME TABLE `draw` TO `allocation`",
    "ALTER TABLE entry DROP CONSTRAINT entry_guard_whole",
    "ALTER TABLE entry RENAME COLUMN kind TO reason",
    "ALTER TABLE entry RENAME COLUMN counter TO contra",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_older_ledger_upgrades() {
    let (filled, rows) = filled().await;
    for (name, server) in databases() {
        for cut_off_after in cuts(server) {
            let home = Home::on(server);
            let url = home.url.replace(".db", ".db?mode=rwc");
            let db = Database::connect(url).await.unwrap();
            migration::up_to(&db, BEFORE).await.unwrap();
            insert(&db, &rows).await;
            for step in &STEPS[..cut_off_after] {
                db.execute_unprepared(step).await.unwrap();
            }
            db.close().await.unwrap();

            let ledger = open(&home.url).await;
            let report = ledger.audit(|_, _| {}).await.expect(name);
            assert_eq!(report, filled, "{name}");
            answers_as_before(&ledger, name).await;
            ledger.audit(|_, _| {}).await.expect(name);
            ledger.close().await;
        }
    }
}

/// After how many steps an upgrade is cut off. Only MySQL commits a step without those after it.
fn cuts(server: Option<&str>) -> Vec<usize> {
    match server {
        Some(crate::database::MARIADB) => vec![0, 1, 3, 4, 5, 6],
        _ => vec![0],
    }
}

async fn open(url: &str) -> Ledger {
    let settings = Settings {
        queue: 100,
        batch: 10,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    let ledger = Ledger::open(url, settings, Clock::new(|| NOW)).await;
    ledger.unwrap()
}

fn posting(owner: &str, kind: PostingKind, reference: &str) -> Posting {
    Posting {
        account: AccountKey {
            owner: owner.to_owned(),
            asset: "coin".to_owned(),
        },
        kind,
        reason: Reason(18),
        idempotency: Some(Idempotency {
            key: Key::of(&["reference", reference]),
            fingerprint: Key::of(&[reference]),
        }),
        requires: None,
        reference: Some(reference.to_owned()),
        message: Some("it's 😀".to_owned()),
        operator: Some(7),
    }
}

fn order() -> Key {
    Key::of(&["order", "o"])
}

/// The postings that fill a ledger.
fn postings() -> [Posting; 5] {
    let (expires_at, order) = (NOW + 1, order());
    let earn = |amount, expires_at| PostingKind::Earn { amount, expires_at };
    let spend = PostingKind::Spend {
        amount: 30,
        order: Some(order),
    };
    let give_back = PostingKind::Return { amount: 10, order };
    [
        posting("uid:5", earn(20, expires_at), "a"),
        posting("uid:5", earn(50, NEVER), "b"),
        posting("uid:5", spend, "c"),
        posting("uid:5", give_back, "d"),
        // A lot that is due at once, so that there is an entry that expires points.
        posting("uid:6", earn(9, NOW), "e"),
    ]
}

/// The message that lights the avatar; `later` is its redelivery to a program of today, which had another key in the older one.
fn light_message(later: bool) -> MessageKey {
    let older = Key::of(&["light"]);
    MessageKey {
        key: if later {
            Key::of(&["light of today"])
        } else {
            older
        },
        fingerprint: Key::of(&["content"]),
        older: later.then_some(older),
    }
}

fn nonce() -> Nonce {
    Nonce {
        at: NOW,
        key: Key::of(&["nonce"]),
        fingerprint: None,
    }
}

fn like(token: &str) -> Transaction {
    let earn = PostingKind::Earn {
        amount: 1,
        expires_at: NEVER,
    };
    Transaction {
        postings: vec![Posting {
            idempotency: None,
            ..posting("key:b", earn, token)
        }],
        action: Some(Action {
            key: Key::of(&["action", token]),
            token: token.to_owned(),
            owner: "key:b".to_owned(),
            name: "like".to_owned(),
            other: None,
            object: Some("1".to_owned()),
            limit: Some(Limit {
                most: 2,
                from: NOW - 1,
                until: NOW + 1000,
            }),
        }),
        ..Transaction::default()
    }
}

/// The balances that the postings are answered with, now and for ever.
const BALANCES: [i64; 5] = [20, 70, 40, 50, 0];

/// Fills a new ledger. Returns what an audit of it covers, and its rows as the older program would have stored them.
async fn filled() -> (pointgate::ledger::upkeep::audit::Report, Vec<String>) {
    let home = Home::on(None);
    let ledger = open(&home.url).await;
    let members = Members::new(ledger.clone());
    members.link(5, "five", operator()).await.unwrap();
    for (posting, balance) in postings().into_iter().zip(BALANCES) {
        let receipt = ledger.post(posting).await.unwrap();
        assert_eq!((receipt.balance, receipt.repeated), (balance, false));
    }
    let spends_a_nonce = Transaction {
        nonce: Some(nonce()),
        ..Transaction::default()
    };
    ledger.apply(spends_a_nonce).await.unwrap();
    ledger.apply(like("t1")).await.unwrap();
    let name = MemberName::UserKey("five".to_owned());
    let light = members.extend_light(&name, LIGHT, Some(light_message(false)));
    assert_eq!(light.await.unwrap(), NOW + 1000);
    let report = ledger.audit(|_, _| {}).await.unwrap();
    let db = Database::connect(&home.url).await.unwrap();
    let rows = older_rows(&db).await;
    ledger.close().await;
    (report, rows)
}

async fn answers_as_before(ledger: &Ledger, name: &str) {
    for (mut posting, balance) in postings().into_iter().zip(BALANCES) {
        let conflict = Err(ApplyError::Rejected(Rejection::IdempotencyConflict));
        let repeated = match posting.kind {
            // Its order has had points back.
            PostingKind::Spend { order: Some(_), .. } => conflict,
            _ => Ok(Receipt {
                balance,
                repeated: true,
                moved: false,
            }),
        };
        assert_eq!(ledger.post(posting.clone()).await, repeated, "{name}");
        if posting.account.owner == "uid:5" {
            // Under its owner's other name.
            posting.account.owner = "key:five".to_owned();
            assert_eq!(ledger.post(posting.clone()).await, repeated, "{name}");
        }
        posting.idempotency.as_mut().unwrap().fingerprint = Key::of(&["other"]);
        assert_eq!(ledger.post(posting).await, conflict, "{name}");
    }
    assert_eq!(ledger.is_spent(nonce()).await, Ok(true), "{name}");
    // The order has 20 left to return.
    let give_back = |amount, reference| {
        let order = order();
        posting("uid:5", PostingKind::Return { amount, order }, reference)
    };
    let exceeds = Err(ApplyError::Rejected(Rejection::ReturnExceeds));
    assert_eq!(ledger.post(give_back(21, "f")).await, exceeds, "{name}");
    let receipt = ledger.post(give_back(20, "f")).await.unwrap();
    assert_eq!(receipt.balance, 70, "{name}");
    // The action counts towards its limit of two.
    let repeat = ledger.apply(like("t1")).await.unwrap();
    let repeat = repeat.action.unwrap();
    assert_eq!((repeat.repeated, repeat.scored), (true, true), "{name}");
    for (token, scored) in [("t2", true), ("t3", false)] {
        let action = ledger.apply(like(token)).await.unwrap().action;
        let repeated = false;
        assert_eq!(action, Some(ActionReceipt { repeated, scored }), "{name}");
    }
    let members = Members::new(ledger.clone());
    let five = MemberName::UserKey("five".to_owned());
    let light = members.extend_light(&five, LIGHT, Some(light_message(true)));
    assert_eq!(light.await, Ok(NOW + 1000), "{name}");
}

/// A row of the table that an older program kept beside the entries.
struct AllocationRow {
    order_key: Vec<u8>,
    account_id: i64,
    spend_seq: i64,
    expires_at: i64,
    drawn: i64,
    returned: i64,
}

impl AllocationRow {
    fn of(older: &Older) -> Vec<AllocationRow> {
        let orders = older.allocations.iter();
        let allocations = orders.flat_map(|(order, all)| all.iter().map(move |it| (order, it)));
        let row = |(order, it): (&Vec<u8>, &Allocation)| AllocationRow {
            order_key: order.clone(),
            account_id: older.account.id,
            spend_seq: it.spend_seq,
            expires_at: it.expires_at,
            drawn: it.drawn,
            returned: it.returned,
        };
        allocations.map(row).collect()
    }
}

/// The rows of a ledger as statements for the tables of the older program.
async fn older_rows(db: &DatabaseConnection) -> Vec<String> {
    let mut rows = Vec::new();
    let older = older_accounts(db).await;
    let allocations: Vec<_> = older.iter().flat_map(AllocationRow::of).collect();
    assert!(!allocations.is_empty());
    let (accounts, entries): (Vec<_>, Vec<_>) =
        older.into_iter().map(|it| (it.account, it.entries)).unzip();
    let entries = entries.into_iter().flatten();
    macro_rules! older {
        ($entity:ident as $table:literal: $($column:literal = $field:ident),+) => {
            let found = $entity::Entity::find().all(db).await.unwrap();
            older!(in found as $table: $($column = $field),+);
        };
        (in $rows:ident as $table:literal: $($column:literal = $field:ident),+) => {
            for row in $rows {
                let columns = [$(($column, row.$field.sql())),+];
                let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
                rows.push(format!(
                    concat!("INSERT INTO ", $table, " ({}) VALUES ({})"),
                    names.join(", "),
                    values.join(", ")
                ));
            }
        };
    }
    older!(in accounts as "account": "id" = id, "asset" = asset, "owner" = owner, "balance" = balance, "last_seq" = last_seq,
        "income_seq" = income_seq, "last_at" = last_at, "next_expiry" = next_expiry, "head" = head);
    older!(lot as "lot": "account_id" = account_id, "expires_at" = expires_at, "remaining" = remaining);
    older!(in entries as "entry": "account_id" = account_id, "seq" = seq, "at" = at, "kind" = reason, "amount" = amount,
        "balance_after" = balance_after, "counter" = contra, "direction" = direction, "direction_seq" = direction_seq,
        "reference" = reference, "message" = message, "operator" = operator, "guard_key" = idempotency_key,
        "content_key" = fingerprint, "answered" = idempotency_balance, "hash" = hash);
    older!(in allocations as "draw": "order_key" = order_key, "spend_seq" = spend_seq, "expires_at" = expires_at,
        "account_id" = account_id, "drawn" = drawn, "returned" = returned);
    older!(contra as "counter": "asset" = asset, "name" = name, "shard" = shard, "balance" = balance);
    older!(nonce as "nonce": "at" = at, "nonce_key" = nonce_key);
    older!(identity as "alias": "name" = name, "owner" = owner);
    older!(member as "member": "id" = id, "uid" = uid, "user_key" = user_key, "light_until" = light_until);
    older!(action as "action": "action_key" = action_key, "token" = token, "owner" = owner, "name" = name, "other" = other,
        "object" = object, "at" = at, "scored" = scored, "answer" = token);
    older!(message as "message": "message_key" = message_key, "at" = at, "answer" = result);
    assert!(payment::Entity::find().one(db).await.unwrap().is_none());
    rows
}

async fn insert(db: &DatabaseConnection, rows: &[String]) {
    for row in rows {
        let row = match db.get_database_backend() {
            DbBackend::Postgres => row.replace("X'", "'\\x"),
            _ => row.clone(),
        };
        db.execute_unprepared(&row).await.expect(&row);
    }
    if db.get_database_backend() == DbBackend::Postgres {
        for table in ["account", "member", "action"] {
            let next = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
            );
            db.execute_unprepared(&next).await.unwrap();
        }
    }
}

/// A value as SQL writes it.
trait Sql {
    fn sql(&self) -> String;
}

impl Sql for i64 {
    fn sql(&self) -> String {
        self.to_string()
    }
}

impl Sql for String {
    fn sql(&self) -> String {
        format!("'{}'", self.replace('\'', "''"))
    }
}

impl Sql for Vec<u8> {
    fn sql(&self) -> String {
        let hex = self.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        format!("X'{hex}'")
    }
}

impl<T: Sql> Sql for Option<T> {
    fn sql(&self) -> String {
        self.as_ref().map_or_else(|| "NULL".to_owned(), T::sql)
    }
}
