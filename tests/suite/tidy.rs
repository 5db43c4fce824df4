//! The house rules that no compiler holds: which folder may name what, and how a file looks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Lines that a file may have at most.
const LINES: usize = 399;
/// Folders and files that hold a dialect or a family of methods; those that are not there yet are bound already.
const DIALECTS: [&str; 4] = ["yoho", "openapi", "osx", "status"];

/// What a part of `src` may name of the crate. What has no row here may name everything.
const MAY_NAME: [(&str, &[&str]); 12] = [
    ("sign", &[]),
    ("clock", &[]),
    ("gateway", &["gateway", "params"]),
    ("ledger", &["ledger", "clock"]),
    ("members", &["members", "ledger", "clock"]),
    ("points", &["config", "gateway", "ledger", "members"]),
    ("config", &["config"]),
    ("broker", &["broker", "clock", "config", "gateway"]),
    ("services", SERVICES),
    (
        "endpoints",
        &[
            "config", "gateway", "openapi", "osx", "points", "services", "status", "yoho",
        ],
    ),
    (
        "server",
        &[
            "server",
            "broker",
            "clock",
            "config",
            "endpoints",
            "gateway",
            "ledger",
            "services",
        ],
    ),
    ("main", &["cli"]),
];

const SERVICES: &[&str] = &["clock", "config", "ledger", "members", "points"];

/// What a dialect may name of the crate, beside itself.
const DIALECT_MAY_NAME: [&str; 8] = [
    "config", "gateway", "ledger", "members", "params", "points", "services", "sign",
];

/// Words that a part of `src` must not hold in its code: those that begin like this.
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

/// A source file: its path from the repository's root, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Its part of `src`: `ledger` of `src/ledger/book.rs`, `server` of `src/server.rs`; none outside.
    fn part(&self) -> Option<&str> {
        let first = self.path.strip_prefix("src/")?.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// Its lines of code, numbered from 1, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(at, line)| (at + 1, without_comment(line)))
    }

    /// A line of a failure's message.
    fn offence(&self, line: usize, why: &str) -> String {
        format!("{}:{line}: {why}", self.path)
    }
}

/// A line up to its `//`; one that follows a colon is part of a URL.
fn without_comment(line: &str) -> &str {
    let mut slashes = line.match_indices("//").map(|(at, _)| at);
    let comment = slashes.find(|&at| !line[..at].ends_with(':'));
    comment.map_or(line, |at| &line[..at])
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// The names behind `crate::` in a text, each with its line, those in braces included.
fn crate_names(source: &Source) -> Vec<(usize, String)> {
    let code: Vec<&str> = source.code().map(|(_, code)| code).collect();
    let code = code.join("\n");
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        if code[..at].ends_with(in_word) {
            continue;
        }
        let line = 1 + code[..at].matches('\n').count();
        let rest = &code[at + path.len()..];
        let named = match rest.strip_prefix('{') {
            Some(list) => firsts(list),
            None => rest.split(|c| !in_word(c)).take(1).collect(),
        };
        names.extend(named.into_iter().map(|name| (line, name.to_owned())));
    }
    names
}

/// The first name of each path in a list up to its closing brace.
fn firsts(list: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut paths = Vec::new();
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                paths.extend(words(&list[start..at]).next());
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    paths
}

/// Names of the crate that a file must not name, by the arrows of the architecture.
fn wrong_arrows(source: &Source) -> Vec<String> {
    let Some(part) = source.part() else {
        return Vec::new();
    };
    let row = MAY_NAME.iter().find(|(name, _)| *name == part);
    let mut may: Vec<&str> = match row {
        Some((_, may)) => may.to_vec(),
        None if DIALECTS.contains(&part) => DIALECT_MAY_NAME.to_vec(),
        None => return Vec::new(),
    };
    may.push(part);
    let mut wrong = Vec::new();
    for (line, name) in crate_names(source) {
        if !may.contains(&name.as_str()) {
            wrong.push(source.offence(line, &format!("{part} must not name crate::{name}")));
        }
    }
    for (line, code) in source.code() {
        // `super` leads out of a part only where it stands twice, or in the part's own first file.
        if code.contains("super::super") {
            wrong.push(source.offence(line, "say crate:: instead of super::super::"));
        }
        let own = source.path.matches('/').count() == 1 || source.path.ends_with("/mod.rs");
        let tests = source
            .text
            .lines()
            .position(|it| it.trim() == "#[cfg(test)]");
        let within = tests.is_none_or(|first| line <= first);
        if own && within && code.contains("super::") {
            wrong.push(source.offence(line, "super:: leads out of this part: say crate::"));
        }
    }
    wrong
}

/// Words that a file must not hold.
fn wrong_words(source: &Source) -> Vec<String> {
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
                wrong.push(source.offence(line, &format!("{part} must not say {word}")));
            }
        }
    }
    wrong
}

/// Codes of a wire in the ledger or in what it keeps beside points.
fn wire_codes(source: &Source) -> Vec<String> {
    let tests = source.path.ends_with("tests.rs");
    if tests || !SQL.contains(&source.part().unwrap_or_default()) {
        return Vec::new();
    }
    let is_code = |word: &str| {
        let number: Option<u32> = word.parse().ok();
        number.is_some_and(|it| (400..=599).contains(&it) || (100_001..=500_000).contains(&it))
    };
    let mut wrong = Vec::new();
    for (line, code) in source
        .code()
        .take_while(|(_, code)| *code != "#[cfg(test)]")
    {
        for word in words(code).filter(|word| is_code(word)) {
            wrong.push(source.offence(line, &format!("{word} is a code of a wire")));
        }
    }
    wrong
}

/// How a file must look.
fn untidy(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let first = source.text.lines().next().unwrap_or_default();
    if !first.starts_with("//! ") {
        wrong.push(source.offence(1, "a file opens with a sentence after //!"));
    }
    let lines = source.text.lines().count();
    if lines > LINES {
        wrong.push(source.offence(lines, &format!("{lines} lines, of at most {LINES}")));
    }
    wrong
}

/// All Rust files of the repository.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "entity", "migration", "tests", "benches"] {
        collect(&root.join(folder), &mut files);
    }
    let source = |file: PathBuf| Source {
        path: file
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/"),
        text: std::fs::read_to_string(&file).unwrap(),
    };
    files.into_iter().map(source).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

#[track_caller]
fn hold(rule: impl Fn(&Source) -> Vec<String>) {
    let sources = sources();
    assert!(sources.len() > 40, "the sources are not where they were");
    let wrong: Vec<String> = sources.iter().flat_map(rule).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn arrows_go_down_only() {
    hold(wrong_arrows);
}

#[test]
fn no_part_names_what_it_must_not_know() {
    hold(wrong_words);
}

#[test]
fn the_ledger_knows_no_code_of_a_wire() {
    hold(wire_codes);
}

#[test]
fn every_file_opens_with_a_sentence_and_stays_short() {
    hold(untidy);
}

/// Texts that a rule finds fault with: the rule, the file, its text (`\n` is a line's end), and what the rule says.
const BAD: &str = r#"
arrows | src/yoho/a.rs | use crate::osx::Osx; | 1: yoho must not name crate::osx
arrows | src/osx/a.rs | \nuse crate::{\n    ledger::{A, osx},\n    yoho::B,\n}; | 2: osx must not name crate::yoho
arrows | src/status/a.rs | let a = crate::server::start(); | 1: status must not name crate::server
arrows | src/yoho/a.rs | use super::super::osx::Osx; | 1: say crate:: instead of super::super::
arrows | src/yoho/mod.rs | use super::osx::Osx; | 1: super:: leads out of this part: say crate::
arrows | src/gateway/a.rs | use crate::{gateway, ledger::{A, B}}; | 1: gateway must not name crate::ledger
arrows | src/ledger/a.rs | fn a(_: &crate::config::Config) {} | 1: ledger must not name crate::config
arrows | src/broker/a.rs | use crate::yoho::Yoho; | 1: broker must not name crate::yoho
arrows | src/sign.rs | use crate::clock::Clock; | 1: sign must not name crate::clock
words | src/gateway/a.rs | let a = "osx_thread"; | 1: gateway must not say osx_thread
words | src/gateway/a.rs | use actix_web::web; | 1: gateway must not say actix_web
words | src/ledger/a.rs | \nuse http::Uri; // why | 2: ledger must not say http
words | src/ledger/a.rs | struct YohoCoin; | 1: ledger must not say YohoCoin
words | src/yoho/a.rs | use sea_orm::DbErr; | 1: yoho must not say sea_orm
words | src/cli.rs | use sqlx::Row; | 1: cli must not say sqlx
codes | src/ledger/a.rs | Fault::new(402, "") | 1: 402 is a code of a wire
codes | src/members/a.rs | code: 100001, | 1: 100001 is a code of a wire
look | entity/src/a.rs | use a;\n//! A file. | 1: a file opens with a sentence after //!
"#;

/// Texts that a rule finds no fault with.
const GOOD: &str = r#"
arrows | src/yoho/a.rs | use crate::ledger::{A, osx};\nuse super::b::C; // crate::osx
arrows | src/yoho/a.rs | use crate::{\n    ledger::{A, osx},\n    sign,\n};
arrows | src/ledger/a.rs | use super::Ledger;\nuse crate::{clock::{A, yoho}, ledger};
arrows | src/sign.rs | #[cfg(test)]\nmod tests {\n    use super::*;\n}
arrows | src/cli.rs | use crate::{config, server, yoho};
words | src/gateway/a.rs | //! No ledger.\nlet a = 1; // as yoho does\nlet u = "see://here";
words | src/ledger/a.rs | use sea_orm::DbErr;\n#![proptest_config(1)]
codes | src/ledger/a.rs | const N: u64 = 2000;\n// 402\n#[cfg(test)]\nmod tests { const N: i64 = 402; }
codes | src/yoho/a.rs | Fault::new(402, "")
look | src/a.rs | //! A file.
"#;

/// What a rule says of a text.
fn said(rule: &str, path: &str, text: &str) -> Vec<String> {
    let source = Source {
        path: path.to_owned(),
        text: text.replace("\\n", "\n"),
    };
    match rule {
        "arrows" => wrong_arrows(&source),
        "words" => wrong_words(&source),
        "codes" => wire_codes(&source),
        "look" => untidy(&source),
        _ => panic!("{rule}"),
    }
}

#[test]
fn the_rules_find_what_is_wrong() {
    for case in BAD.trim().lines() {
        let parts: Vec<&str> = case.split(" | ").collect();
        let [rule, path, text, says] = parts[..] else {
            panic!("{case}");
        };
        assert_eq!(said(rule, path, text), [format!("{path}:{says}")], "{case}");
    }
    let long = said("look", "tests/a.rs", &"//! A.\n".repeat(400));
    assert_eq!(long, ["tests/a.rs:400: 400 lines, of at most 399"]);
}

#[test]
fn the_rules_leave_alone_what_is_right() {
    for case in GOOD.trim().lines() {
        let parts: Vec<&str> = case.split(" | ").collect();
        let [rule, path, text] = parts[..] else {
            panic!("{case}");
        };
        assert_eq!(said(rule, path, text), [""; 0], "{case}");
    }
    let long = said("look", "tests/a.rs", &"//! A.\n".repeat(399));
    assert_eq!(long, [""; 0]);
}
