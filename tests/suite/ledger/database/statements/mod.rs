//! Each set statement does the same on SQLite, PostgreSQL and MariaDB, with the same rows over the same tables.

mod changes;
mod content;
mod queries;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use entity::{
    account, action, contra, credit_allowance, daily_limit_slot, entry, frozen_owner, identity,
    lot, nonce, origin, tally,
};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, Statement};
use serde_json::{Value, json};

use pointgate::ledger::database::Database;
use pointgate::ledger::database::backend::Backend;
use pointgate::ledger::database::retry::lost_race;
use pointgate::ledger::database::statements::set_statement::SetStatement;
use pointgate::ledger::database::statements::{
    ACCOUNTS, ADD_ACCOUNTS, ADD_NONCES, DROP_LOTS, Pipeline, SET_ACCOUNTS, execute, query,
};

use crate::database::{Home, databases};
use queries::{Case, Expected};

/// The databases with the same content.
struct Sides {
    databases: Vec<Database>,
    _homes: Vec<Home>,
}

impl Sides {
    async fn new() -> Sides {
        let (mut opened, mut homes) = (Vec::new(), Vec::new());
        for (_, server) in databases() {
            let home = Home::on(server);
            let database = Database::open(&home.url, 1).await.unwrap();
            let db = database.begin_write().await.unwrap();
            content::fill(&db).await;
            db.commit().await.unwrap();
            opened.push(database);
            homes.push(home);
        }
        Sides {
            databases: opened,
            _homes: homes,
        }
    }

    async fn close(self) {
        for database in self.databases {
            database.close().await.unwrap();
        }
    }
}

/// What a statement did on one database.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The answers of a query, in an order that does not depend on the database.
    answers: Result<Vec<String>, Failed>,
    /// The tables afterwards.
    tables: BTreeMap<&'static str, Vec<String>>,
}

/// Why a statement failed.
#[derive(Debug, PartialEq)]
enum Failed {
    /// It broke a constraint; whether that counts as a lost race.
    Constraint { lost_race: bool },
    /// It affected other rows than it was given.
    Mismatch,
}

async fn run(database: &Database, case: &Case) -> Outcome {
    let db = database.begin_write().await.unwrap();
    let answers = match case.expected {
        Expected::Rows(_) => answers(&db, case.statement, &case.rows, &case.more).await,
        Expected::Changes | Expected::Rejection { .. } | Expected::Mismatch => {
            let done = execute(&db, case.statement, &case.rows).await;
            done.map(|()| Vec::new())
        }
    };
    let tables = match &answers {
        Ok(_) => tables(&db).await,
        Err(_) => BTreeMap::new(),
    };
    db.rollback().await.unwrap();
    let answers = answers.map_err(|error| failed(case.name, &error));
    Outcome { answers, tables }
}

/// Why a statement failed. Any other error would be a statement that one of the databases cannot read.
fn failed(name: &str, error: &DbErr) -> Failed {
    if is_mismatch(error) {
        assert!(!lost_race(error), "{name}: {error}");
        return Failed::Mismatch;
    }
    assert!(is_constraint(error), "{name}: {error}");
    Failed::Constraint {
        lost_race: lost_race(error),
    }
}

fn is_mismatch(error: &DbErr) -> bool {
    matches!(error, DbErr::Custom(text) if text.contains("affected"))
}

async fn answers(
    db: &impl ConnectionTrait,
    statement: &SetStatement,
    rows: &[Value],
    more: &[sea_orm::Value],
) -> Result<Vec<String>, DbErr> {
    let answers = query::<Vec<Value>>(db, statement, rows, more.to_vec()).await?;
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
    let allowances = credit_allowance::Entity::find().all(db).await.unwrap();
    let allowances = allowances
        .into_iter()
        .map(|row| credit_allowance::Model { id: 0, ..row });
    BTreeMap::from([
        ("account", sorted(accounts)),
        ("action", sorted(actions)),
        (
            "identity",
            sorted(identity::Entity::find().all(db).await.unwrap()),
        ),
        (
            "contra",
            sorted(contra::Entity::find().all(db).await.unwrap()),
        ),
        ("credit_allowance", sorted(allowances)),
        (
            "daily_limit_slot",
            sorted(daily_limit_slot::Entity::find().all(db).await.unwrap()),
        ),
        (
            "frozen_owner",
            sorted(frozen_owner::Entity::find().all(db).await.unwrap()),
        ),
        (
            "tally",
            sorted(tally::Entity::find().all(db).await.unwrap()),
        ),
        (
            "origin",
            sorted(origin::Entity::find().all(db).await.unwrap()),
        ),
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
    for case in queries::all() {
        let mut outcomes = Vec::new();
        for database in &sides.databases {
            outcomes.push(run(database, &case).await);
        }
        let changed = outcomes[0].tables != before;
        let expected = match (&case.expected, &outcomes[0].answers) {
            (Expected::Rows(many), Ok(rows)) => rows.len() == *many && !changed,
            (Expected::Changes, Ok(_)) => changed,
            (Expected::Rejection { lost_race }, Err(failed)) => {
                let lost_race = *lost_race;
                *failed == Failed::Constraint { lost_race }
            }
            (Expected::Mismatch, Err(failed)) => *failed == Failed::Mismatch,
            _ => false,
        };
        if !expected {
            wrong.push(format!(
                "{} in SQLite: {:?}",
                case.name, outcomes[0].answers
            ));
        }
        for (outcome, (name, _)) in outcomes.iter().zip(databases()) {
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
    let (Ok(a), Ok(b)) = (&one.answers, &other.answers) else {
        return format!("{:?} and {:?}", one.answers, other.answers);
    };
    let rows = |outcome: &Outcome, answers: &[String]| -> BTreeSet<String> {
        let tables = outcome.tables.values().flatten();
        answers.iter().chain(tables).cloned().collect()
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
        query::<Vec<Value>>(&db, &ACCOUNTS, &queries::locked(), [])
            .await
            .unwrap();
        assert!(Backend::of(&db).writes_concurrently());
        assert_eq!(free(database).await, queries::free(), "{database:?}");
        db.rollback().await.unwrap();
    }
    sides.close().await;
}

/// The accounts that nobody has locked.
async fn free(database: &Database) -> Vec<i64> {
    let db = database.begin_write().await.unwrap();
    let free = "SELECT id FROM account ORDER BY id FOR UPDATE SKIP LOCKED";
    let free = Statement::from_string(db.get_database_backend(), free);
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
        let third = Statement::from_string(backend, third);
        first.query_one_raw(third).await.unwrap().unwrap();
        let second = database.begin_write().await.unwrap();
        let both = tokio::spawn(async move {
            let rows = [json!(["coin", "UID:5"]), json!(["coin", "uid:5~"])];
            let found = query::<Vec<Value>>(&second, &ACCOUNTS, &rows, []).await;
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

/// A pipeline fails if any of its changes breaks a constraint, or affects fewer rows than it was given.
#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_does_all_or_fails() {
    let sides = Sides::new().await;
    let new = |i: u8| json!([7, hex::encode([i; 16]), null]);
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
    let missing = vec![json!([1, 100]), json!([1, 101])];
    let unknown = vec![json!([9999, 0, 0, 0, 0, null, hex::encode([0; 32])])];
    let bad: [(&SetStatement, _, bool); 3] = [
        (&ADD_ACCOUNTS, &taken, true),
        (&DROP_LOTS, &missing, false),
        (&SET_ACCOUNTS, &unknown, false),
    ];
    for (database, (name, _)) in sides.databases.iter().zip(databases()) {
        for (change, rows, race) in bad {
            for fails_at in [None, Some(0), Some(1), Some(2)] {
                let db = database.begin_write().await.unwrap();
                let before = nonce::Entity::find().count(&db).await.unwrap();
                let mut pipeline = Pipeline::new(&db);
                let mut done = Ok(());
                for at in 0..3 {
                    done = match fails_at == Some(at) {
                        true => done.and(pipeline.execute(change, rows).await),
                        false => {
                            let rows = [new(at), new(at + 10)];
                            done.and(pipeline.execute(&ADD_NONCES, &rows).await)
                        }
                    };
                }
                let done = done.and(pipeline.finish().await);
                match fails_at {
                    None => {
                        done.expect(name);
                        let after = nonce::Entity::find().count(&db).await.unwrap();
                        assert_eq!(after, before + 6, "{name}");
                    }
                    Some(at) => {
                        let error = done.expect_err(name);
                        assert_eq!(lost_race(&error), race, "{at} in {name}: {error}");
                        assert_eq!(is_mismatch(&error), !race, "{at} in {name}: {error}");
                    }
                }
                db.rollback().await.unwrap();
            }
        }
    }
    sides.close().await;
}

/// Each statement of the ledger has a case here.
#[test]
fn no_statement_is_left_out() {
    let source = include_str!("../../../../../src/ledger/database/statements/mod.rs");
    let names = source.lines().filter_map(|line| {
        let (name, kind) = line.strip_prefix("pub static ")?.split_once(": ")?;
        kind.starts_with("SetStatement").then_some(name)
    });
    assert_eq!(names.clone().count(), source.matches("pub static ").count());
    let tried: BTreeSet<&str> = queries::all().iter().map(|case| case.name).collect();
    assert_eq!(names.collect::<BTreeSet<&str>>(), tried);
}
