//! The paths that a file names: in `use` declarations and in expressions.

use super::source::Source;

/// The paths that begin with one of these names, each with its line. Those in braces are written out.
pub fn paths(source: &Source, roots: &[&str]) -> Vec<(usize, Vec<String>)> {
    let code: Vec<&str> = source.code().map(|(_, code)| code).collect();
    let code = code.join("\n");
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for root in roots {
        let path = format!("{root}::");
        for (at, _) in code.match_indices(&path) {
            if code[..at].ends_with(in_word) || code[..at].ends_with("::") {
                continue;
            }
            let line = 1 + code[..at].matches('\n').count();
            let mut all = Vec::new();
            branches(
                &code[at + path.len()..],
                &mut vec![(*root).to_owned()],
                &mut all,
            );
            found.extend(all.into_iter().map(|path| (line, path)));
        }
    }
    found.sort_by_key(|(line, _)| *line);
    found
}

/// Reads what follows `a::`, appends each path to `all`, and returns how many bytes it has read.
fn branches(text: &str, prefix: &mut Vec<String>, all: &mut Vec<Vec<String>>) -> usize {
    let before = prefix.len();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if rest.starts_with('{') {
            at += 1;
            loop {
                at += text[at..].len() - text[at..].trim_start().len();
                match text[at..].chars().next() {
                    None => break,
                    Some('}') => {
                        at += 1;
                        break;
                    }
                    Some(c) if c.is_alphanumeric() || "_{*".contains(c) => {
                        at += branches(&text[at..], prefix, all);
                    }
                    Some(c) => at += c.len_utf8(),
                }
            }
            break;
        }
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if end == 0 {
            // A glob, or something that is no path.
            all.push(prefix.clone());
            at += usize::from(rest.starts_with('*'));
            break;
        }
        prefix.push(rest[..end].to_owned());
        at += end;
        if text[at..].starts_with("::") {
            at += 2;
        } else {
            all.push(prefix.clone());
            // An `as NAME` is no path of its own.
            if let Some(name) = text[at..].strip_prefix(" as ") {
                at += 4 + name
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(name.len());
            }
            break;
        }
    }
    prefix.truncate(before);
    at
}
