//! No comment that restates a name: it must say what the name cannot.

use super::source::{Source, parts, words};

/// Words that say nothing by themselves.
const EMPTY: &str = "a all an and are as at be by do does each every for from has have how in is it its of on one or s that the \
                     their them these they this those to what when where which who whose with";

/// Endings by which forms of one word differ.
const ENDINGS: [&str; 8] = ["ing", "ers", "er", "or", "ed", "es", "s", "e"];

/// Doc comments that hold one word of their own at most, or none that is not in the name of their item.
pub fn restatements(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let doc = |at: usize| {
        lines
            .get(at)
            .and_then(|line| line.strip_prefix("///"))
            .map(str::trim)
    };
    let mut at = 0;
    while at < lines.len() {
        let first = at;
        let mut text = String::new();
        while let Some(line) = doc(at) {
            text = format!("{text} {line}");
            at += 1;
        }
        if at == first {
            at += 1;
            continue;
        }
        let item = lines[at..]
            .iter()
            .find(|line| !line.is_empty() && !line.starts_with("#[") && !line.starts_with("//"));
        let name = item.and_then(|item| name(item)).unwrap_or_default();
        if restates(text.trim(), name) {
            let why = format!("\"{}\" says nothing beyond {name}", text.trim());
            wrong.push(source.finding(first + 1, &why));
        }
    }
    wrong
}

/// Whether a doc comment says no more than the name that it stands over.
fn restates(text: &str, name: &str) -> bool {
    // A value, a path or a link says more than it looks.
    if text.contains(['`', '[', '…']) || text.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let empty: Vec<&str> = EMPTY.split_whitespace().collect();
    let lower = text.to_lowercase();
    let content: Vec<&str> = words(&lower).filter(|word| !empty.contains(word)).collect();
    let of_name: Vec<String> = parts(name).iter().map(|it| stem(it).to_owned()).collect();
    let in_name = |word: &&str| of_name.iter().any(|it| it == stem(word));
    if text.starts_with(char::is_lowercase) {
        // The description of a parameter, which `params!` takes from its comment: it may be one word.
        return content.len() < 2 && content.iter().all(in_name);
    }
    content.len() < 2 || content.iter().all(in_name)
}

fn stem(word: &str) -> &str {
    let stems = ENDINGS
        .iter()
        .filter_map(|ending| word.strip_suffix(ending));
    stems
        .into_iter()
        .find(|stem| stem.len() > 2)
        .unwrap_or(word)
}

/// The name of an item: what follows `fn`, `struct` and so on, or the first word of a field or variant.
fn name(item: &str) -> Option<&str> {
    const KINDS: [&str; 9] = [
        "fn", "struct", "enum", "trait", "type", "mod", "const", "static", "union",
    ];
    let mut all = words(item)
        .filter(|word| !["async", "unsafe", "r"].contains(word))
        .peekable();
    while let Some(word) = all.next() {
        match word {
            "const" if all.peek() == Some(&"fn") => {}
            word if KINDS.contains(&word) => return all.next(),
            "pub" | "crate" | "super" | "in" | "self" => {}
            word => return Some(word),
        }
    }
    None
}
