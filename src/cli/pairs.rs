//! A CSV file of pairs, one `uid,user_key` a line, read line by line.
//!
//! A link cannot be undone, so a line counts only if it can mean nothing else: the CSV parser forgives a quote that is never closed
//! and text after one, this reader does not. Each line stands alone, because no name has a line break.

use std::io::{self, BufRead, BufReader, Read};

use csv::{ReaderBuilder, StringRecord};

use crate::gateway::value::is_storable;

/// The most characters of a user_key.
const MAX_USER_KEY: usize = 255;
/// The most bytes of a line, without its end.
const MAX_LINE: usize = 1024;
/// The first line, if the file names its columns.
const HEADER: [&str; 2] = ["uid", "user_key"];

/// The two names of one person.
#[derive(Debug, PartialEq)]
pub struct NamePair {
    /// The number in the shop, from 1.
    pub uid: i64,
    /// The name on the community and the health platform.
    pub user_key: String,
}

/// A line that is neither empty nor the header.
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Its pair, or why it has none.
    pub pair: Result<NamePair, String>,
}

/// The lines of a file; holds one at a time, however long they are.
pub struct Pairs<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    bytes: u64,
}

impl<R: Read> Pairs<R> {
    /// The lines of this file.
    pub fn new(file: R) -> Pairs<R> {
        Pairs {
            reader: BufReader::new(file),
            line: Vec::new(),
            number: 0,
            bytes: 0,
        }
    }

    /// How many bytes have been read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line that is neither empty nor the header; nothing at the end of the file.
    ///
    /// # Errors
    /// Returns the error if the file cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        while self.read()? {
            let pair = match pair(&self.line, self.number == 1) {
                Ok(None) => continue,
                Ok(Some(pair)) => Ok(pair),
                Err(why) => Err(why),
            };
            let number = self.number;
            return Ok(Some(Line { number, pair }));
        }
        Ok(None)
    }

    /// Reads one line without its end, or the head of one that is too long; returns false at the end of the file.
    fn read(&mut self) -> io::Result<bool> {
        self.line.clear();
        // Room for a whole line and CR LF.
        let room = MAX_LINE as u64 + 2;
        let mut head = self.reader.by_ref().take(room);
        let read = head.read_until(b'\n', &mut self.line)? as u64;
        self.number += 1;
        self.bytes += read;
        if self.line.pop_if(|byte| *byte == b'\n').is_some() {
            self.line.pop_if(|byte| *byte == b'\r');
        } else if read == room {
            self.bytes += self.reader.skip_until(b'\n')? as u64;
        }
        Ok(read > 0)
    }
}

/// The pair of a line; none if the line is empty or, as the first one, the header.
fn pair(line: &[u8], is_first: bool) -> Result<Option<NamePair>, String> {
    if line.len() > MAX_LINE {
        return Err(format!("longer than {MAX_LINE} bytes"));
    }
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8")?;
    let line = match is_first {
        true => line.strip_prefix('\u{feff}').unwrap_or(line),
        false => line,
    };
    if line.is_empty() {
        return Ok(None);
    }
    let mut record = StringRecord::new();
    let mut settings = ReaderBuilder::new();
    settings.has_headers(false).flexible(true);
    let mut reader = settings.from_reader(line.as_bytes());
    reader
        .read_record(&mut record)
        .map_err(|error| error.to_string())?;
    let (Some(uid), Some(user_key), None) = (record.get(0), record.get(1), record.get(2)) else {
        return Err("not two values with a comma between them".to_owned());
    };
    if !is_written_as(line, uid, user_key) {
        let why = "a value with a quote in it, or with white space at an end, must be in quotes, and each quote in it doubled";
        return Err(why.to_owned());
    }
    if is_first && [uid, user_key] == HEADER {
        return Ok(None);
    }
    let number = uid.parse().ok().filter(|number| *number > 0);
    let Some(uid) = number.filter(|number: &i64| number.to_string() == uid) else {
        return Err("a uid is a whole number from 1, in digits".to_owned());
    };
    check_user_key(user_key)?;
    let user_key = user_key.to_owned();
    Ok(Some(NamePair { uid, user_key }))
}

/// Whether the line is these two values and nothing else.
fn is_written_as(line: &str, uid: &str, user_key: &str) -> bool {
    let forms = |value: &str| {
        let is_plain = !value.contains('"') && value.trim() == value;
        let quoted = format!("\"{}\"", value.replace('"', "\"\""));
        let plain = is_plain.then(|| value.to_owned());
        plain.into_iter().chain([quoted])
    };
    forms(uid).any(|uid| forms(user_key).any(|user_key| line == format!("{uid},{user_key}")))
}

/// Checks that a user_key may be stored.
///
/// # Errors
/// Returns a message for the user if it is empty, too long or has control characters.
pub fn check_user_key(user_key: &str) -> Result<(), String> {
    let fits = !user_key.is_empty() && user_key.chars().nth(MAX_USER_KEY).is_none();
    match fits && is_storable(user_key) {
        true => Ok(()),
        false => Err(format!(
            "a user_key has 1 to {MAX_USER_KEY} characters, none of them a control character"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_end_takes_no_memory() {
        let endless = io::repeat(b'x').take(1 << 26);
        let file = endless.chain(&b"\n5,five\n"[..]);
        let mut pairs = Pairs::new(file);
        let line = pairs.next_line().unwrap().unwrap();
        assert_eq!((line.number, line.pair.is_err()), (1, true));
        let line = pairs.next_line().unwrap().unwrap();
        let user_key = "five".to_owned();
        assert_eq!(
            (line.number, line.pair),
            (2, Ok(NamePair { uid: 5, user_key }))
        );
        assert!(pairs.next_line().unwrap().is_none());
        assert_eq!(pairs.bytes(), (1 << 26) + 8);
        assert!(pairs.line.capacity() <= 4 * MAX_LINE);
    }
}
