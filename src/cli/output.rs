//! What commands print: a reader that has gone is no error, and stored text cannot steer the terminal.

use std::fmt::{self, Display, Write as _};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write};
use std::path::Path;

use crate::ledger::proof::note::Note;

/// The most bytes of a checkpoint's file.
const NOTE_BYTES: u64 = 64 << 10;

/// Prints a text and ends its line. Does nothing once nobody reads any more, as in `pointgate payments | head -1`.
///
/// # Errors
/// Returns a message for the user if the output cannot be written, for example to a full disk.
pub fn line(text: impl Display) -> Result<(), String> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Prints why the program ends. Nothing can be done if that fails.
pub fn error(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Reads a file of at most this many bytes.
///
/// # Errors
/// Returns a message for the user if it cannot be read, is longer, or is not UTF-8.
pub fn read_short(path: &Path, most: u64) -> Result<String, String> {
    let read = || {
        let mut text = String::new();
        File::open(path)?.take(most + 1).read_to_string(&mut text)?;
        Ok(text)
    };
    let failed = |error: io::Error| format!("cannot read {}: {error}", path.display());
    let text: String = read().map_err(failed)?;
    match text.len() as u64 > most {
        true => Err(format!("{} is longer than {most} bytes", path.display())),
        false => Ok(text),
    }
}

/// Reads the file of a checkpoint.
///
/// # Errors
/// Returns a message for the user if it cannot be read, or holds something else than one signed note.
pub fn read_note(path: &Path) -> Result<Note, String> {
    let text = read_short(path, NOTE_BYTES)?;
    Note::parse(&text).map_err(|why| format!("{}: {why}", path.display()))
}

/// A text of unknown origin, shown with its control characters escaped, as `\u{1b}`.
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(out), "{}", self.0)
    }
}

/// Escapes what is written through it.
struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(char::is_control) {
            let end = part.trim_end_matches(char::is_control);
            self.0.write_str(end)?;
            for control in part[end.len()..].chars() {
                write!(self.0, "{}", control.escape_default())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, shown) in [
            ("", ""),
            ("字 'a' \\ \"b\"", "字 'a' \\ \"b\""),
            ("a\nb\r\tc\0", "a\\nb\\r\\tc\\u{0}"),
            ("\u{1b}[2J\u{1b}\u{7f}", "\\u{1b}[2J\\u{1b}\\u{7f}"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ] {
            assert_eq!(Escaped(text).to_string(), shown);
            assert_eq!(
                Escaped(format_args!("<{text}>")).to_string(),
                format!("<{shown}>")
            );
        }
    }
}
