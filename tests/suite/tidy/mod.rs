//! The rules of the code that no compiler checks. `docs/architecture.md` says why.

mod arrows;
mod comments;
mod cycles;
mod examples;
mod glossary;
mod look;
mod paths;
mod source;
mod types;

use source::{Source, pages, rust_files};

#[track_caller]
fn assert_none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Fails with all findings of a rule in the Rust files of the repository.
#[track_caller]
fn assert_tidy(rule: fn(&Source) -> Vec<String>) {
    let sources = rust_files();
    assert!(sources.len() > 40, "the sources are not where they were");
    assert_none(sources.iter().flat_map(rule).collect());
}

#[test]
fn arrows_go_down_only() {
    assert_tidy(arrows::wrong_arrows);
}

#[test]
fn no_part_names_what_it_must_not_know() {
    assert_tidy(arrows::wrong_words);
}

#[test]
fn the_ledger_knows_no_code_of_a_wire() {
    assert_tidy(arrows::wire_codes);
}

#[test]
fn no_module_leads_back_to_itself() {
    assert_none(cycles::circles(&rust_files()));
}

#[test]
fn no_two_public_types_have_one_name() {
    assert_none(types::same_names(&rust_files()));
}

#[test]
fn no_comment_restates_a_name() {
    assert_tidy(comments::restatements);
}

#[test]
fn words_are_those_of_the_glossary() {
    assert_tidy(glossary::wrong_words);
    assert_none(pages().iter().flat_map(glossary::wrong_words).collect());
}

#[test]
fn every_file_opens_with_a_sentence_and_stays_short() {
    assert_tidy(look::untidy);
}
