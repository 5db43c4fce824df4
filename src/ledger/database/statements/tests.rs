//! Each set statement comes to the same in SQLite, PostgreSQL and MariaDB, from the same rows over the same tables.

mod cases;
mod content;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use entity::{account, action, alias, counter, daily_limit_slot, draw, entry, lot, nonce};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::dialect::Statement;
use super::{ACCOUNTS, ADD_ACCOUNTS, ADD_NONCES, Script, ask, tell};
use crate::ledger::database::Database;
use crate::ledger::equal::{self, Home};
use crate::ledger::write::retry::lost_race;
use cases::{Case, Comes};

/// The databases with the same content.
struct Sides {
    databases: Vec<Database>,
    _homes: Vec<Home>,
}

impl Sides {
    async fn new() -> Sides {
        let (mut databases, mut homes) = (Vec::new(), Vec::new());
        for (_, server) in equal::databases() {
            let home = Home::on(server);
            let database = Database::open(&home.url, 1).await.unwrap();
            let db = database.begin_write().await.unwrap();
            content::fill(&db).await;
            db.commit().await.unwrap();
            databases.push(database);
            homes.push(home);
        }
        Sides {
            databases,
            _homes: homes,
        }
    }

    async fn close(self) {
        for database in self.databases {
            database.close().await.unwrap();
        }
    }
}

/// What a statement came to in one database.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// What it found, in an order that does not depend on the database; or whether it was told that somebody was first.
    said: Result<Vec<String>, Refused>,
    /// The tables afterwards.
    tables: BTreeMap<&'static str, Vec<String>>,
}

/// A constraint stood in the way; whether that counts as another instance having been first.
#[derive(Debug, PartialEq)]
struct Refused {
    lost_race: bool,
}

async fn run(database: &Database, case: &Case) -> Outcome {
    let db = database.begin_write().await.unwrap();
    let said = match case.comes {
        Comes::Rows(_) => found(&db, case.sql, &case.rows, &case.more).await,
        Comes::Changes | Comes::Rejection { .. } => {
            tell(&db, case.sql, &case.rows).await.map(|()| Vec::new())
        }
    };
    let tables = match &said {
        Ok(_) => tables(&db).await,
        Err(_) => BTreeMap::new(),
    };
    db.rollback().await.unwrap();
    let said = said.map_err(|error| {
        // Anything else would be a statement that one of them cannot read.
        assert!(is_constraint(&error), "{}: {error}", case.name);
        Refused {
            lost_race: lost_race(&error),
        }
    });
    Outcome { said, tables }
}

async fn found(
    db: &impl ConnectionTrait,
    sql: &Statement,
    rows: &[Value],
    more: &[sea_orm::Value],
) -> Result<Vec<String>, DbErr> {
    let answers = ask::<Vec<Value>>(db, sql, rows, more.to_vec()).await?;
    let mut answers: Vec<String> = answers.into_iter().map(one).collect();
    answers.sort_unstable();
    Ok(answers)
}

/// An answer as it is compared: hex is read in either case.
fn one(answer: Vec<Value>) -> String {
    let values = answer.into_iter().map(|value| match value {
        Value::String(text) if hex::decode(&text).is_ok_and(|bytes| bytes.len() >= 16) => {
            Value::String(text.to_lowercase())
        }
        other => other,
    });
    Value::Array(values.collect()).to_string()
}

fn is_constraint(error: &DbErr) -> bool {
    let text = error.to_string().to_lowercase();
    error.sql_err().is_some() || text.contains("constraint")
}

/// All rows of all tables of the ledger, without the numbers that databases give.
async fn tables(db: &impl ConnectionTrait) -> BTreeMap<&'static str, Vec<String>> {
    let accounts = account::Entity::find().all(db).await.unwrap();
    let accounts = accounts
        .into_iter()
        .map(|row| account::Model { id: 0, ..row });
    let actions = action::Entity::find().all(db).await.unwrap();
    let actions = actions
        .into_iter()
        .map(|row| action::Model { id: 0, ..row });
    BTreeMap::from([
        ("account", sorted(accounts)),
        ("action", sorted(actions)),
        (
            "alias",
            sorted(alias::Entity::find().all(db).await.unwrap()),
        ),
        (
            "counter",
            sorted(counter::Entity::find().all(db).await.unwrap()),
        ),
        (
            "daily_limit_slot",
            sorted(daily_limit_slot::Entity::find().all(db).await.unwrap()),
        ),
        ("draw", sorted(draw::Entity::find().all(db).await.unwrap())),
        (
            "entry",
            sorted(entry::Entity::find().all(db).await.unwrap()),
        ),
        ("lot", sorted(lot::Entity::find().all(db).await.unwrap())),
        (
            "nonce",
            sorted(nonce::Entity::find().all(db).await.unwrap()),
        ),
    ])
}

fn sorted(rows: impl IntoIterator<Item: Debug>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|row| format!("{row:?}")).collect();
    rows.sort_unstable();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_comes_to_the_same_everywhere() {
    let sides = Sides::new().await;
    let before = tables(sides.databases[0].read()).await;
    for database in &sides.databases[1..] {
        assert_eq!(tables(database.read()).await, before, "what was put in");
    }
    let mut wrong = Vec::new();
    for case in cases::all() {
        let mut outcomes = Vec::new();
        for database in &sides.databases {
            outcomes.push(run(database, &case).await);
        }
        let changed = outcomes[0].tables != before;
        let expected = match (&case.comes, &outcomes[0].said) {
            (Comes::Rows(many), Ok(rows)) => rows.len() == *many && !changed,
            (Comes::Changes, Ok(_)) => changed,
            (Comes::Rejection { lost_race }, Err(refused)) => refused.lost_race == *lost_race,
            _ => false,
        };
        if !expected {
            wrong.push(format!("{} in SQLite: {:?}", case.name, outcomes[0].said));
        }
        for (outcome, (name, _)) in outcomes.iter().zip(equal::databases()) {
            if *outcome != outcomes[0] {
                wrong.push(format!(
                    "{} in {name}: {}",
                    case.name,
                    differs(&outcomes[0], outcome)
                ));
            }
        }
    }
    sides.close().await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Where two outcomes part.
fn differs(one: &Outcome, other: &Outcome) -> String {
    let (Ok(a), Ok(b)) = (&one.said, &other.said) else {
        return format!("{:?} and {:?}", one.said, other.said);
    };
    let rows = |outcome: &Outcome, said: &[String]| -> BTreeSet<String> {
        let tables = outcome.tables.values().flatten();
        said.iter().chain(tables).cloned().collect()
    };
    let (a, b) = (rows(one, a), rows(other, b));
    let missing: Vec<_> = a.difference(&b).collect();
    let added: Vec<_> = b.difference(&a).collect();
    format!("without {missing:#?}, but with {added:#?}")
}

/// It locks what it names and nothing else: who comes meanwhile finds all the others free.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and MariaDB: tests/with_servers.sh"]
async fn a_lock_is_on_the_same_accounts_everywhere() {
    let sides = Sides::new().await;
    for database in &sides.databases[1..] {
        let db = database.begin_write().await.unwrap();
        ask::<Vec<Value>>(&db, &ACCOUNTS, &cases::locked(), [])
            .await
            .unwrap();
        assert_ne!(db.get_database_backend(), DbBackend::Sqlite);
        assert_eq!(free(database).await, cases::free(), "{database:?}");
        db.rollback().await.unwrap();
    }
    sides.close().await;
}

/// The accounts that nobody has locked.
async fn free(database: &Database) -> Vec<i64> {
    let db = database.begin_write().await.unwrap();
    let free = "SELECT id FROM account ORDER BY id FOR UPDATE SKIP LOCKED";
    let free = sea_orm::Statement::from_string(db.get_database_backend(), free);
    let free = db.query_all_raw(free).await.unwrap();
    db.rollback().await.unwrap();
    let free = free.iter().map(|row| row.try_get_by_index(0).unwrap());
    free.collect()
}

/// Two that want the same accounts never wait for each other, under whichever names and in whichever order they ask.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and MariaDB: tests/with_servers.sh"]
async fn locks_are_taken_in_the_order_of_numbers() {
    let sides = Sides::new().await;
    for database in &sides.databases[1..] {
        let first = database.begin_write().await.unwrap();
        let backend = first.get_database_backend();
        let third = "SELECT id FROM account WHERE id = 3 FOR UPDATE";
        let third = sea_orm::Statement::from_string(backend, third);
        first.query_one_raw(third).await.unwrap().unwrap();
        let second = database.begin_write().await.unwrap();
        let both = tokio::spawn(async move {
            let rows = [json!(["coin", "UID:5"]), json!(["coin", "uid:5~"])];
            let found = ask::<Vec<Value>>(&second, &ACCOUNTS, &rows, []).await;
            second.rollback().await.unwrap();
            found
        });
        // It waits for the third, and has the second already.
        while free(database).await.contains(&2) {
            assert!(!both.is_finished(), "{database:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        first.rollback().await.unwrap();
        assert_eq!(both.await.unwrap().unwrap().len(), 2, "{database:?}");
    }
    sides.close().await;
}

/// Whichever of the changes of a script it is that breaks a constraint, the script fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_does_all_or_fails() {
    let sides = Sides::new().await;
    let new = |i: u8| json!([7, hex::encode([i; 16])]);
    let taken = vec![json!([
        "coin",
        "uid:5",
        0,
        0,
        0,
        0,
        null,
        hex::encode([0; 32])
    ])];
    for (database, (name, _)) in sides.databases.iter().zip(equal::databases()) {
        for fails_at in [None, Some(0), Some(1), Some(2)] {
            let db = database.begin_write().await.unwrap();
            let before = nonce::Entity::find().count(&db).await.unwrap();
            let mut script = Script::new(&db);
            let mut done = Ok(());
            for at in 0..3 {
                done = match fails_at == Some(at) {
                    true => done.and(script.tell(&ADD_ACCOUNTS, &taken).await),
                    false => done.and(script.tell(&ADD_NONCES, &[new(at), new(at + 10)]).await),
                };
            }
            let done = done.and(script.end().await);
            match fails_at {
                None => {
                    done.expect(name);
                    let after = nonce::Entity::find().count(&db).await.unwrap();
                    assert_eq!(after, before + 6, "{name}");
                }
                Some(at) => {
                    let error = done.expect_err(name);
                    assert!(lost_race(&error), "{at} in {name}: {error}");
                }
            }
            db.rollback().await.unwrap();
        }
    }
    sides.close().await;
}

/// In a statement with its rows in it there is nothing but numbers and hexadecimal.
#[test]
fn a_literal_holds_no_text() {
    let rows = |key: &str, at: Value| [json!([at, key])];
    let good = ADD_NONCES
        .literal(&rows("00fF", json!(-7)))
        .unwrap()
        .unwrap();
    assert!(good.ends_with("VALUES (-7,X'00fF')"), "{good}");
    for bad in [
        rows("00'", json!(7)),
        rows("0x", json!(7)),
        rows("00", json!("7")),
        rows("00", json!([7])),
        rows("00", json!(true)),
    ] {
        assert!(ADD_NONCES.literal(&bad).is_err(), "{bad:?}");
    }
    let text = json!(["coin", "it's", 0, 0, 0, 0, null, "00"]);
    let text = ADD_ACCOUNTS.literal(&[text]).unwrap().unwrap();
    assert!(
        text.ends_with("VALUES (_utf8mb4 X'636f696e',_utf8mb4 X'69742773',0,0,0,0,NULL,X'00')"),
        "{text}"
    );
}

/// A statement that is added here must be tried too.
#[test]
fn no_statement_is_left_out() {
    let source = include_str!("mod.rs");
    let names = source.lines().filter_map(|line| {
        let (name, kind) = line.strip_prefix("pub static ")?.split_once(": ")?;
        kind.starts_with("Statement").then_some(name)
    });
    assert_eq!(names.clone().count(), source.matches("pub static ").count());
    let tried: BTreeSet<&str> = cases::all().iter().map(|case| case.name).collect();
    assert_eq!(names.collect::<BTreeSet<&str>>(), tried);
}
