//! How a file looks: its first line and its length.

use super::source::Source;

/// The largest number of lines of a file.
const LINES: usize = 399;

/// How a file must look.
pub fn untidy(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let first = source.text.lines().next().unwrap_or_default();
    if !first.starts_with("//! ") {
        wrong.push(source.finding(1, "a file opens with a sentence after //!"));
    }
    let lines = source.text.lines().count();
    if lines > LINES {
        wrong.push(source.finding(lines, &format!("{lines} lines, of at most {LINES}")));
    }
    wrong
}
