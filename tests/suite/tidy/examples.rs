//! What each rule finds, and what it leaves alone.

use super::source::Source;
use super::{arrows, comments, cycles, glossary, look, types};

/// Files in which a rule finds a fault: the rule, the path, the text (`\n` ends a line), and the finding.
const BAD: &str = r#"
arrows | src/room/a.rs | use std::fs; | 1: room has no row in the table of arrows
arrows | src/yoho/a.rs | use crate::osx::Osx; | 1: yoho must not name crate::osx
arrows | src/osx/a.rs | \nuse crate::{\n    ledger::{A, osx},\n    yoho::B,\n}; | 2: osx must not name crate::yoho
arrows | src/status/a.rs | let a = crate::server::start(); | 1: status must not name crate::server
arrows | src/yoho/a.rs | use super::super::osx::Osx; | 1: say crate:: instead of super::super::
arrows | src/yoho/mod.rs | use super::osx::Osx; | 1: super:: leads out of this part: say crate::
arrows | src/gateway/a.rs | use crate::{gateway, ledger::A}; | 1: gateway must not name crate::ledger
arrows | src/ledger/a.rs | fn a(_: &crate::config::Config) {} | 1: ledger must not name crate::config
arrows | src/broker/a.rs | use crate::yoho::Yoho; | 1: broker must not name crate::yoho
arrows | src/sign.rs | use crate::clock::Clock; | 1: sign must not name crate::clock
arrows | src/ledger/read/a.rs | use crate::ledger::{Ledger, write::load::A}; | 1: ledger/read must not name crate::ledger::write
arrows | src/ledger/write/a.rs | use crate::ledger::upkeep; | 1: ledger/write must not name crate::ledger::upkeep
arrows | src/ledger/book/a.rs | use crate::ledger::Ledger; | 1: ledger/book must not name crate::ledger::Ledger
arrows | src/ledger/database/a.rs | fn a(_: crate::ledger::book::Book) {} | 1: ledger/database must not name crate::ledger::book
words | src/ledger/book/a.rs | use tokio::task; | 1: ledger/book must not say tokio
words | src/ledger/proof/a.rs | use std::fs::File; | 1: ledger/proof must not say std::fs
arrows | src/ledger/proof/a.rs | use crate::ledger::read::a; | 1: ledger/proof must not name crate::ledger::read
words | src/ledger/book/mod.rs | pub async fn post() {} | 1: ledger/book must not say async
words | src/gateway/a.rs | let a = "osx_thread"; | 1: gateway must not say osx_thread
words | src/gateway/a.rs | use actix_web::web; | 1: gateway must not say actix_web
words | src/ledger/a.rs | \nuse http::Uri; // why | 2: ledger must not say http
words | src/ledger/a.rs | struct YohoCoin; | 1: ledger must not say YohoCoin
words | src/yoho/a.rs | use sea_orm::DbErr; | 1: yoho must not say sea_orm
arrows | src/cli/a.rs | use crate::{config, server, yoho}; | 1: cli must not name crate::yoho
words | src/cli.rs | use sqlx::Row; | 1: cli must not say sqlx
codes | src/ledger/a.rs | Fault::new(402, "") | 1: 402 is a code of a wire
codes | src/members/a.rs | code: 100001, | 1: 100001 is a code of a wire
comments | src/a.rs | /// Who.\nowner: String, | 1: "Who." says nothing beyond owner
comments | src/a.rs | \n/// Does it.\n#[inline]\npub async fn run(&self) {} | 2: "Does it." says nothing beyond run
comments | src/a.rs | /// The method.\npub trait Method {} | 1: "The method." says nothing beyond Method
comments | src/a.rs | /// A request's counter.\nstruct RequestCounter; | 1: "A request's counter." says nothing beyond RequestCounter
comments | src/a.rs | /// Reads all\n/// of the lots.\nfn read_lots() {} | 1: "Reads all of the lots." says nothing beyond read_lots
glossary | docs/a.md | A unit is one. | 1: "unit" is not a word of the glossary: say transaction
glossary | src/a.rs | fn lapsed_lots() {} | 1: "lapsed_lots" is not a word of the glossary: say expire
glossary | src/a.rs | \n// The counter account. | 2: "counter account" is not a word of the glossary: say contra account
glossary | benches/a.rs | struct NextLane; | 1: "NextLane" is not a word of the glossary: say partition, or key-ordered worker
glossary | src/a.rs | let said = 1; | 1: said is no name: say output, answer or value
look | entity/src/a.rs | use a;\n//! A file. | 1: a file opens with a sentence after //!
"#;

/// Files in which a rule finds no fault: the rule, the path and the text.
const GOOD: &str = r#"
arrows | src/yoho/a.rs | use crate::ledger::{A, osx};\nuse super::b::C; // crate::osx
arrows | src/yoho/a.rs | use crate::{\n    ledger::{A, osx},\n    sign,\n};
arrows | src/ledger/a.rs | use super::Ledger;\nuse crate::{clock::{A, yoho}, ledger};
arrows | src/sign.rs | #[cfg(test)]\nmod tests {\n    use super::*;\n}
arrows | src/cli.rs | use crate::{config, server, endpoints};
arrows | src/ledger/write/a.rs | use crate::ledger::{LedgerError, book::{self, entry::Entry}, database::Database};
arrows | src/ledger/book/tests.rs | use crate::ledger::Ledger;
words | src/ledger/write/a.rs | pub async fn post() {}
words | src/gateway/a.rs | //! No ledger.\nlet a = 1; // as yoho does\nlet u = "see://here";
words | src/ledger/a.rs | use sea_orm::DbErr;\n#![proptest_config(1)]
codes | src/ledger/a.rs | const N: u64 = 2000;\n// 402\n#[cfg(test)]\nmod tests { const N: i64 = 402; }
codes | src/yoho/a.rs | Fault::new(402, "")
comments | src/a.rs | /// The customer whose coins these are.\nowner: String,
comments | src/a.rs | /// In milliseconds since the epoch.\nat: i64,
comments | src/a.rs | /// `X-Request-Id`\npub id: String,
comments | src/a.rs | /// days to add\ntime: i64,
glossary | src/a.rs | Contra::Expired => "lapsed",
glossary | src/a.rs | // He said so.
look | src/a.rs | //! A file.
"#;

/// The findings of a rule in a file.
fn findings(rule: &str, path: &str, text: &str) -> Vec<String> {
    let source = source(path, text);
    match rule {
        "arrows" => arrows::wrong_arrows(&source),
        "words" => arrows::wrong_words(&source),
        "codes" => arrows::wire_codes(&source),
        "comments" => comments::restatements(&source),
        "glossary" => glossary::wrong_words(&source),
        "look" => look::untidy(&source),
        _ => panic!("{rule}"),
    }
}

#[test]
fn every_rule_finds_its_faults() {
    for case in BAD.trim().lines() {
        let parts: Vec<&str> = case.split(" | ").collect();
        let [rule, path, text, finding] = parts[..] else {
            panic!("{case}");
        };
        assert_eq!(
            findings(rule, path, text),
            [format!("{path}:{finding}")],
            "{case}"
        );
    }
    let long = findings("look", "tests/a.rs", &"//! A.\n".repeat(400));
    assert_eq!(long, ["tests/a.rs:400: 400 lines, of at most 399"]);
}

#[test]
fn no_rule_finds_a_fault_in_good_code() {
    for case in GOOD.trim().lines() {
        let parts: Vec<&str> = case.split(" | ").collect();
        let [rule, path, text] = parts[..] else {
            panic!("{case}");
        };
        assert_eq!(findings(rule, path, text), [""; 0], "{case}");
    }
    let long = findings("look", "tests/a.rs", &"//! A.\n".repeat(399));
    assert_eq!(long, [""; 0]);
}

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.replace("\\n", "\n"),
    }
}

#[test]
fn circles_are_found() {
    let files = [
        source("src/lib.rs", "pub mod a;"),
        source("src/a/mod.rs", "mod b;\nuse self::b::B;\nuse crate::c;"),
        source("src/a/b.rs", "use super::A;\nuse super::d::{D, self};"),
        source("src/a/d.rs", "use crate::{a::b, x};"),
        source(
            "src/c.rs",
            "fn c() -> crate::e::f::F { crate::e::f::new() }",
        ),
        source("src/e/f.rs", "use crate::c::C;"),
        source("src/g.rs", "use crate::h;\n#[cfg(test)]\nmod tests {}"),
        source(
            "src/h.rs",
            "//! crate::g\n#[cfg(test)]\nmod tests {\n    use crate::g;\n}",
        ),
        source("src/g/tests.rs", "use crate::h;"),
    ];
    let found = cycles::circles(&files);
    assert_eq!(found, ["a circle: a::b, a::d", "a circle: c, e::f"]);
}

#[test]
fn types_of_one_name_are_found() {
    let files = [
        source(
            "src/a.rs",
            "pub struct Page;\npub enum Reply {}\nstruct Own;\npub fn page() {}",
        ),
        source(
            "src/b/mod.rs",
            "\npub(super) type Page<T> = Vec<T>;\npub struct Reply;",
        ),
        source(
            "src/c.rs",
            "// pub struct Page;\npub struct Own;\npub(crate) trait Status {}",
        ),
        source("src/config/a.rs", "pub struct Status;"),
        source("src/d/mod.rs", "pub struct Consumer;"),
        source("src/d/absent.rs", "pub struct Consumer;"),
    ];
    let found = types::same_names(&files);
    let expected = ["src/a.rs:1", "src/b/mod.rs:2"];
    assert_eq!(
        found,
        expected.map(|at| format!("{at}: another public type is called Page"))
    );
}
