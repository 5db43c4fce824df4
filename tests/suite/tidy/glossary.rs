//! The field's words: none that the glossary of `docs/architecture.md` replaces stands where the right one is meant.

use super::source::{Source, parts, words};

/// Words that must not stand alone or within an identifier, and what to say instead.
const REPLACED: &[(&[&str], &str)] = &[
    (&["lapse", "lapses", "lapsed", "lapsing"], "expire"),
    (
        &["sweep", "sweeps", "swept", "sweeping", "sweeper"],
        "purge",
    ),
    (&["gather", "gathers", "gathered", "gathering"], "coalesce"),
    (&["lane", "lanes"], "partition, or key-ordered worker"),
    (&["mistake", "mistakes"], "configuration error"),
    (&["whoever", "whomever"], "the subject by its name"),
    (&["unit", "units"], "transaction"),
    (&["draw", "draws"], "allocation"),
];

/// Names that nothing must be declared under, and what to say instead.
const NAMES: &[(&[&str], &str)] = &[
    (
        &["House", "Desk", "Ground", "Place", "Running"],
        "what it is",
    ),
    (&["Mistake", "Mistakes"], "ConfigError"),
    (&["Movement"], "PostingKind"),
    (&["Counter"], "Contra, or what it counts"),
    (&["said", "told"], "output, answer or value"),
    (&["tell", "ask"], "execute or query"),
];

/// The words before a name that is declared.
const DECLARES: [&str; 9] = [
    "let", "mut", "fn", "struct", "enum", "trait", "type", "mod", "const",
];

/// Phrases that must not stand anywhere, and what to say instead.
const PHRASES: &[(&str, &str)] = &[
    ("counter account", "contra account"),
    ("retry guard", "idempotency record"),
    ("none where", "`None` if"),
];

/// Where such a word means something else, or is kept for a reason.
const ALLOWED: &[&str] = &[
    // The stored name of the contra account of expired points: renaming it would change every hash of a chain.
    "`lapsed`",
    "\"lapsed\"",
    "'lapsed'",
    // Rust's and systemd's own words.
    "codegen-units",
    "unit test",
    "systemd",
    "visit_unit",
    "unit type",
    // Of a figure.
    "units, bounds, errors",
    // A name of the schema before version 10, which a migration replaces.
    "`draw`",
    "\"draw\"",
];

/// Words of the glossary's last column in a file.
pub fn wrong_words(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let own = source.path.starts_with("tests/suite/tidy/") || source.path.starts_with("migration/");
    let mut in_glossary = false;
    for (at, line) in source.text.lines().enumerate() {
        in_glossary = line.starts_with('|') && (in_glossary || line.contains("| not |"));
        if own || in_glossary || ALLOWED.iter().any(|allowed| line.contains(allowed)) {
            continue;
        }
        let mut refuse = |word: &str, instead: &str| {
            let why = format!("\"{word}\" is not a word of the glossary: say {instead}");
            wrong.push(source.finding(at + 1, &why));
        };
        for word in words(line) {
            for part in parts(word) {
                let row = REPLACED
                    .iter()
                    .find(|(words, _)| words.contains(&part.as_str()));
                if let Some((_, instead)) = row {
                    refuse(word, instead);
                }
            }
        }
        let lower = line.to_lowercase();
        for (phrase, instead) in PHRASES.iter().filter(|(phrase, _)| lower.contains(phrase)) {
            refuse(phrase, instead);
        }
    }
    if source.path.ends_with(".rs") && !own {
        for (line, code) in source.code() {
            let names = words(code).zip(words(code).skip(1));
            for (_, name) in names.filter(|(before, _)| DECLARES.contains(before)) {
                let row = NAMES.iter().find(|(names, _)| names.contains(&name));
                if let Some((_, instead)) = row {
                    wrong.push(source.finding(line, &format!("{name} is no name: say {instead}")));
                }
            }
        }
    }
    wrong
}
