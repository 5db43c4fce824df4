//! Arrows go down only: which part of `src` may name which, and which words it must not say.

use std::collections::BTreeSet;

use super::paths::paths;
use super::source::{Source, words};

/// The other parts that each part of `src` may name. The macro `params!` is named at the root of the crate.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("lib", &[]),
    ("sign", &[]),
    ("clock", &[]),
    ("tls", &[]),
    ("config", &[]),
    ("origin", &["gateway"]),
    ("gateway", &["origin", "params"]),
    ("ledger", &["clock", "origin"]),
    ("members", &["ledger"]),
    ("points", &["config", "gateway", "ledger", "members"]),
    (
        "services",
        &["clock", "config", "gateway", "ledger", "members", "points"],
    ),
    ("yoho", DIALECT),
    ("openapi", DIALECT),
    ("osx", DIALECT),
    ("status", DIALECT),
    ("broker", &["clock", "config", "gateway", "tls"]),
    (
        "endpoints",
        &[
            "config", "gateway", "openapi", "osx", "points", "services", "status", "yoho",
        ],
    ),
    (
        "server",
        &[
            "broker",
            "clock",
            "config",
            "endpoints",
            "gateway",
            "ledger",
            "services",
        ],
    ),
    (
        "cli",
        &[
            "clock",
            "config",
            "endpoints",
            "gateway",
            "ledger",
            "members",
            "points",
            "server",
            "services",
            "tls",
        ],
    ),
    ("main", &["cli"]),
];

/// What a dialect may name: no other dialect.
const DIALECT: &[&str] = &[
    "config", "gateway", "ledger", "members", "params", "points", "services", "sign",
];

/// The beginnings of words that the code of a part of `src` must not contain.
const MUST_NOT_SAY: [(&str, &[&str]); 6] = [
    (
        "gateway",
        &[
            "yoho", "openapi", "osx", "ledger", "members", "sea_orm", "sqlx", "actix",
        ],
    ),
    (
        "ledger",
        &[
            "actix", "http", "gateway", "yoho", "openapi", "osx", "config",
        ],
    ),
    (
        "members",
        &[
            "actix",
            "serde_json",
            "http",
            "gateway",
            "yoho",
            "openapi",
            "osx",
            "config",
        ],
    ),
    ("config", &["actix", "sea_orm", "sqlx"]),
    (
        "broker",
        &["actix", "http", "yoho", "openapi", "osx", "ledger"],
    ),
    ("sign", &["actix", "sea_orm", "sqlx", "serde"]),
];

/// The only parts of `src` in which the database may be named.
const SQL: [&str; 2] = ["ledger", "members"];

/// The other rooms of the ledger that each of its rooms may name, and whether it may name items of `crate::ledger` itself.
const ROOMS: [(&str, &[&str], bool); 7] = [
    ("book", &[], false),
    ("proof", &["book"], false),
    ("database", &[], false),
    ("read", &["book", "database", "proof"], true),
    ("journal", &["book", "database"], false),
    ("write", &["book", "database", "journal"], true),
    (
        "upkeep",
        &["book", "database", "journal", "proof", "read"],
        true,
    ),
];

/// The rooms of the ledger that do no I/O.
const PURE: [&str; 2] = ["book", "proof"];

/// Texts that their code must not contain.
const NO_IO: [&str; 6] = ["sea_orm", "sqlx", "tokio", "std::fs", "std::net", "async"];

/// Paths in a file that lead against the arrows.
pub fn wrong_arrows(source: &Source) -> Vec<String> {
    let Some(part) = source.part() else {
        return Vec::new();
    };
    let Some((_, may)) = MAY_NAME.iter().find(|(name, _)| *name == part) else {
        return vec![source.finding(1, &format!("{part} has no row in the table of arrows"))];
    };
    let mut wrong = Vec::new();
    for (line, path) in paths(source, &["crate"]) {
        let Some(name) = path.get(1) else { continue };
        if name != part && !may.contains(&name.as_str()) {
            wrong.push(source.finding(line, &format!("{part} must not name crate::{name}")));
        }
        if part == "ledger" {
            wrong.extend(wrong_room(source, line, &path[1..]));
        }
    }
    let before_tests = source.production_code().count();
    for (line, code) in source.code() {
        // `super` leads out of a part only where it stands twice, or in the part's own first file.
        if code.contains("super::super") {
            wrong.push(source.finding(line, "say crate:: instead of super::super::"));
        }
        let own = source.path.matches('/').count() == 1 || source.path.ends_with("/mod.rs");
        let within = line <= before_tests;
        if own && within && code.contains("super::") {
            wrong.push(source.finding(line, "super:: leads out of this part: say crate::"));
        }
    }
    wrong
}

/// A path that leads from one room of the ledger into another one against the arrows.
fn wrong_room(source: &Source, line: usize, path: &[String]) -> Option<String> {
    let [ledger, name, ..] = path else {
        return None;
    };
    let room = source.room()?;
    let (_, may, own_items) = ROOMS.iter().find(|(name, ..)| *name == room)?;
    let is_item = !ROOMS.iter().any(|(room, ..)| room == name);
    let good = name == room || may.contains(&name.as_str()) || (is_item && *own_items);
    let why = format!("{ledger}/{room} must not name crate::{ledger}::{name}");
    (ledger == "ledger" && !good && !source.is_test()).then(|| source.finding(line, &why))
}

/// Words in a file that its part must not know.
pub fn wrong_words(source: &Source) -> Vec<String> {
    let Some(part) = source.part() else {
        return Vec::new();
    };
    let mut banned: BTreeSet<&str> = BTreeSet::new();
    for (name, words) in MUST_NOT_SAY {
        if name == part {
            banned.extend(words);
        }
    }
    if !SQL.contains(&part) {
        banned.extend(["sea_orm", "sea_query", "sqlx"]);
    }
    let mut wrong = Vec::new();
    for (line, code) in source.code() {
        for word in words(code) {
            let lower = word.to_lowercase();
            if banned.iter().any(|begins| lower.starts_with(begins)) {
                wrong.push(source.finding(line, &format!("{part} must not say {word}")));
            }
        }
    }
    let room = source.room().filter(|_| part == "ledger");
    if let Some(room) = room.filter(|room| PURE.contains(room) && !source.is_test()) {
        for (line, code) in source.production_code() {
            for word in NO_IO.iter().filter(|word| code.contains(**word)) {
                wrong.push(source.finding(line, &format!("ledger/{room} must not say {word}")));
            }
        }
    }
    wrong
}

/// Numbers in the ledger or in `members` that are codes of a wire protocol.
pub fn wire_codes(source: &Source) -> Vec<String> {
    let tests = source.path.ends_with("tests.rs");
    if tests || !SQL.contains(&source.part().unwrap_or_default()) {
        return Vec::new();
    }
    let is_code = |word: &str| {
        let number: Option<u32> = word.parse().ok();
        number.is_some_and(|it| (400..=599).contains(&it) || (100_001..=500_000).contains(&it))
    };
    let mut wrong = Vec::new();
    for (line, code) in source.production_code() {
        for word in words(code).filter(|word| is_code(word)) {
            wrong.push(source.finding(line, &format!("{word} is a code of a wire")));
        }
    }
    wrong
}
