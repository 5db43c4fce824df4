//! The rows with which each statement runs, and what must come of it: the queries.

use serde_json::{Value, json};

use pointgate::ledger::database::statements::set_statement::SetStatement;
use pointgate::ledger::database::statements::*;

use super::changes;
use super::content::{
    ACTIONS, DIAMONDS, ENTRIES, EXPIRIES, NAMES, WITH_ENTRIES, WITH_LOTS, keys, second_name,
    some_number,
};

macro_rules! case {
    ($statement:ident, $rows:expr, $expected:expr) => {
        case!($statement, $rows, $expected, [])
    };
    ($statement:ident, $rows:expr, $expected:expr, $more:expr) => {
        Case {
            name: stringify!($statement),
            statement: &$statement,
            rows: $rows,
            more: Vec::<sea_orm::Value>::from($more),
            expected: $expected,
        }
    };
}

pub(super) use case;

/// A statement with its rows.
pub struct Case {
    pub name: &'static str,
    pub statement: &'static SetStatement,
    pub rows: Vec<Value>,
    pub more: Vec<sea_orm::Value>,
    pub expected: Expected,
}

/// What must come of a case.
pub enum Expected {
    /// This number of answers.
    Rows(usize),
    /// Tables that are not what they were.
    Changes,
    /// A broken constraint; whether it counts as a lost race.
    Rejection { lost_race: bool },
    /// A failure, since other rows are affected than were given.
    Mismatch,
}

use Expected::{Rejection, Rows};

pub const TAKEN: Expected = Rejection { lost_race: true };
pub const WRONG: Expected = Rejection { lost_race: false };

/// More rows than a batch has as a rule.
pub const MANY: usize = 600;

/// The cases of all queries.
pub fn all() -> Vec<Case> {
    let parts = [
        accounts(),
        balances(),
        pages(),
        keyed(),
        tallies(),
        changes::accounts(),
        changes::entries(),
        changes::lots(),
        changes::keyed(),
        changes::actions(),
    ];
    parts.into_iter().flatten().collect()
}

/// What the lock is tried with: the first names, one of them twice, and one that nobody has.
pub fn locked() -> Vec<Value> {
    let rows = [2, 1, 2].map(|i| json!(["coin", NAMES[i]]));
    let mut rows = Vec::from(rows);
    rows.push(json!(["diamond", NAMES[0]]));
    rows.push(json!(["coin", "nobody"]));
    rows
}

/// The accounts that it leaves free.
pub fn free() -> Vec<i64> {
    let all = 1..=number(NAMES.len() + DIAMONDS);
    let diamond = number(NAMES.len() + 1);
    all.filter(|&id| id != 2 && id != 3 && id != diamond)
        .collect()
}

pub fn number(i: usize) -> i64 {
    i64::try_from(i).unwrap()
}

pub fn hexed(key: &[u8]) -> String {
    hex::encode(key)
}

/// Every account, one three times, and many that nobody has.
fn account_rows() -> Vec<Value> {
    let coins = NAMES.iter().map(|name| json!(["coin", name]));
    let diamonds = NAMES[..DIAMONDS].iter();
    let diamonds = diamonds.map(|name| json!(["diamond", name]));
    let again = (0..3).map(|_| json!(["coin", "uid:5"]));
    coins.chain(diamonds).chain(again).chain(nobody()).collect()
}

fn nobody() -> Vec<Value> {
    let near = [
        ["COIN", "uid:5"],
        ["coin ", "uid:5"],
        ["coin", "uid:5  "],
        ["coin", " "],
        ["coin", "É"],
        ["coin", "E"],
        ["coin", "NULL"],
        ["coin", "7"],
        ["", ""],
    ];
    let far = (0..MANY).map(|i| json!(["coin", format!("nobody {i}")]));
    near.iter().map(|row| json!(row)).chain(far).collect()
}

fn accounts() -> Vec<Case> {
    let found = NAMES.len() + DIAMONDS + 3;
    // Some of them twice, and many that nobody has.
    let ids = (1..=number(found))
        .chain(1..=3)
        .chain(1000..1000 + number(MANY));
    let ids = ids.map(|id| json!(id)).collect();
    let lots = (WITH_LOTS + 3) * EXPIRIES.len();
    let renamed =
        (0..NAMES.len()).flat_map(|i| ["coin", "diamond"].map(|of| json!([of, second_name(i)])));
    let renamed = renamed.collect();
    let seconds = (0..NAMES.len()).map(|i| json!(second_name(i))).collect();
    let names: Vec<Value> = (0..NAMES.len())
        .map(|i| json!(["coin", second_name(i)]))
        .collect();
    let owners = NAMES.iter().chain(&NAMES).map(|name| json!(name));
    let others = nobody();
    vec![
        case!(ACCOUNTS, account_rows(), Rows(found)),
        case!(LOTS, ids, Rows(lots)),
        case!(ACCOUNTS, renamed, Rows(NAMES.len() + DIAMONDS)),
        case!(ACCOUNTS, nobody(), Rows(0)),
        case!(ACCOUNT_IDS, account_rows(), Rows(found)),
        case!(ACCOUNT_IDS, nobody(), Rows(0)),
        case!(
            IDENTITIES,
            [names.clone(), names].concat(),
            Rows(2 * NAMES.len())
        ),
        case!(IDENTITIES, others, Rows(0)),
        case!(FROZEN_OWNERS, owners.collect(), Rows(2 * NAMES.len())),
        case!(FROZEN_OWNERS, seconds, Rows(0)),
    ]
}

fn balances() -> Vec<Case> {
    let far = (0..MANY).map(|i| format!("nobody {i}"));
    let near = ["uid:5  ", "Uid:5", " ", "É", "E", "NULL", "7"].map(str::to_owned);
    let twice = NAMES.iter().chain(&NAMES).map(|name| (*name).to_owned());
    let rows: Vec<Value> = twice.chain(near).chain(far).map(Value::String).collect();
    let at = |now: i64| [sea_orm::Value::from("coin"), now.into()];
    let found = 2 * NAMES.len();
    vec![
        case!(BALANCES, rows.clone(), Rows(found), at(i64::MIN + 1)),
        case!(BALANCES, rows.clone(), Rows(found), at(99)),
        case!(BALANCES, rows.clone(), Rows(found), at(100)),
        case!(BALANCES, rows.clone(), Rows(found), at(i64::MAX - 1)),
        case!(
            BALANCES,
            rows.clone(),
            Rows(2 * DIAMONDS),
            ["diamond".into(), 100_i64.into()]
        ),
        case!(BALANCES, rows, Rows(0), ["Coin".into(), 100_i64.into()]),
    ]
}

/// A part of the history of every account under both of its names, with and without a count.
fn page_rows(low: i64, high: i64, count: Option<i64>, direction: Option<i64>) -> Vec<Value> {
    let names = (0..NAMES.len()).flat_map(|i| [NAMES[i].to_owned(), second_name(i)]);
    let row = |name: String| match direction {
        Some(direction) => json!([name, "coin", low, high, count, direction]),
        None => json!([name, "coin", low, high, count]),
    };
    names.map(row).collect()
}

fn pages() -> Vec<Case> {
    let accounts = 2 * NAMES.len();
    // The row of an account without any entry there.
    let with = |entries: usize| 2 * WITH_ENTRIES * entries + accounts - 2 * WITH_ENTRIES;
    let whole = usize::try_from(ENTRIES).unwrap();
    let none: Vec<Value> = nobody()
        .into_iter()
        .map(|row| json!([row[1], row[0], 0, 9, null]))
        .collect();
    let none_of = none.iter().map(|row| {
        let mut row = row.as_array().cloned().unwrap();
        row.push(json!(1));
        Value::Array(row)
    });
    let none_of = none_of.collect();
    vec![
        case!(PAGE, page_rows(0, 8, None, None), Rows(with(whole))),
        case!(PAGE, page_rows(2, 3, None, None), Rows(with(2))),
        case!(PAGE, page_rows(0, 3, Some(5), None), Rows(with(4))),
        case!(PAGE, page_rows(50, 60, None, None), Rows(accounts)),
        case!(PAGE, none, Rows(0)),
        case!(PAGE_OF, page_rows(0, 8, None, Some(1)), Rows(with(5))),
        case!(PAGE_OF, page_rows(0, 8, None, Some(2)), Rows(with(4))),
        case!(PAGE_OF, page_rows(0, 1, Some(3), Some(2)), Rows(with(2))),
        case!(PAGE_OF, page_rows(50, 60, None, Some(1)), Rows(accounts)),
        case!(PAGE_OF, none_of, Rows(0)),
    ]
}

/// Keys that are not there, each near to one that is.
pub fn other_keys() -> Vec<String> {
    let near = keys().into_iter().map(|mut key| {
        key[7] ^= 0x20;
        hexed(&key)
    });
    let far = (0..MANY).map(|i| format!("ab{i:030x}"));
    near.chain(far).collect()
}

fn keyed() -> Vec<Case> {
    let known: Vec<String> = keys().iter().map(|key| hexed(key)).collect();
    let many = known.len();
    let rows = |keys: &[String]| -> Vec<Value> { keys.iter().map(|key| json!(key)).collect() };
    let (there, others) = (rows(&known), rows(&other_keys()));
    let mixed = [there.clone(), others.clone(), there].concat();
    let nonces: Vec<Value> = known
        .iter()
        .enumerate()
        .map(|(i, key)| json!([some_number(i), key]))
        .collect();
    let off: Vec<Value> = known
        .iter()
        .enumerate()
        .map(|(i, key)| json!([some_number(i + 1), key]))
        .collect();
    vec![
        case!(IDEMPOTENCY_RECORDS, mixed.clone(), Rows(2 * many)),
        case!(IDEMPOTENCY_RECORDS, others.clone(), Rows(0)),
        case!(ORDER_ENTRIES, mixed.clone(), Rows(2 * 36)),
        case!(ORDER_ENTRIES, others.clone(), Rows(0)),
        case!(ORIGINS, mixed, Rows(2)),
        case!(ORIGINS, others, Rows(0)),
        case!(
            NONCES,
            [nonces.clone(), off.clone(), nonces].concat(),
            Rows(2 * many)
        ),
        case!(NONCES, off.clone(), Rows(0)),
        case!(ALLOWANCES, vec![json!([1, known[0]])], Rows(1)),
        case!(ALLOWANCES, off, Rows(0)),
    ]
}

pub fn action_key(i: usize) -> String {
    let mut key = [0xff; 16];
    key[0] = u8::try_from(i).unwrap();
    hexed(&key)
}

fn tallies() -> Vec<Case> {
    let keys = (0..ACTIONS + 5).chain(3..6);
    let keys: Vec<Value> = keys.map(|i| json!(action_key(i))).collect();
    let others = other_keys().into_iter().map(Value::String).collect();
    let rows = |from: i64, until: i64| {
        let pairs = NAMES
            .iter()
            .flat_map(|owner| ["post", "Post", "post ", "POST"].map(|name| (owner, name)));
        pairs
            .map(|(owner, name)| json!([owner, name, from, until]))
            .collect::<Vec<Value>>()
    };
    let rows = [
        rows(0, 600),
        rows(i64::MIN + 1, i64::MAX),
        rows(70, 71),
        rows(5, 5),
    ]
    .concat();
    let many = rows.len();
    vec![
        case!(RECORDED_ACTIONS, keys, Rows(ACTIONS + 3)),
        case!(RECORDED_ACTIONS, others, Rows(0)),
        case!(LIMIT_COUNTS, rows, Rows(many)),
    ]
}
