//! The second place of checkpoints, which those who run the database cannot rewrite; and a file as such a place, to which each is appended.

use std::fs::{File, OpenOptions};
use std::future::ready;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::ledger::proof::note::Note;
use crate::ledger::upkeep::seal::SealError;

/// The most bytes at the end of the file in which the last note is looked for.
const TAIL: u64 = 128 << 10;

/// A second place of checkpoints.
pub trait Witness: Send + Sync {
    /// The last note; `None` if there is none.
    ///
    /// # Errors
    /// Returns [`SealError::Witness`] if the place does not answer, or with something else than a note.
    fn last(&self) -> BoxFuture<'_, Result<Option<Note>, SealError>>;

    /// Adds a note, and returns when the place has it for good.
    ///
    /// # Errors
    /// Returns [`SealError::Witness`] if the place does not take it.
    fn publish<'a>(&'a self, note: &'a str) -> BoxFuture<'a, Result<(), SealError>>;
}

/// A file of checkpoints: signed notes, each followed by an empty line.
#[derive(Clone, Debug)]
pub struct WitnessFile(PathBuf);

impl Witness for WitnessFile {
    fn last(&self) -> BoxFuture<'_, Result<Option<Note>, SealError>> {
        ready(self.read_last()).boxed()
    }

    fn publish<'a>(&'a self, note: &'a str) -> BoxFuture<'a, Result<(), SealError>> {
        ready(self.append(note)).boxed()
    }
}

impl WitnessFile {
    /// The file at a path, which need not exist.
    pub fn at(path: PathBuf) -> WitnessFile {
        WitnessFile(path)
    }

    fn read_last(&self) -> Result<Option<Note>, SealError> {
        let tail = match File::open(&self.0).and_then(read_tail) {
            Ok(tail) => tail,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("read", &error)),
        };
        if tail.is_empty() {
            return Ok(None);
        }
        let last = last_note(&tail);
        last.map(Some).ok_or_else(|| {
            let path = self.0.display();
            SealError::Witness(format!("{path} does not end with a whole checkpoint"))
        })
    }

    fn append(&self, note: &str) -> Result<(), SealError> {
        let append = || {
            let mut file = OpenOptions::new().append(true).create(true).open(&self.0)?;
            file.write_all(format!("{note}\n").as_bytes())?;
            file.sync_all()
        };
        append().map_err(|error: io::Error| self.failed("write", &error))
    }

    fn failed(&self, what: &str, error: &io::Error) -> SealError {
        let path = self.0.display();
        SealError::Witness(format!("cannot {what} the witness {path}: {error}"))
    }
}

fn read_tail(mut file: File) -> io::Result<String> {
    let start = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    // The tail may begin within a character.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The note at the end of a file of notes: its text and its signatures are the last two blocks.
fn last_note(tail: &str) -> Option<Note> {
    let notes = tail.strip_suffix("\n\n")?;
    let mut blocks = notes.rsplitn(3, "\n\n");
    let (signatures, text) = (blocks.next()?, blocks.next()?);
    Note::parse(&format!("{text}\n\n{signatures}\n")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::proof::note::SigningKey;

    fn note(text: &str) -> Note {
        let (key, _) = SigningKey::generate("log", &[1; 32]).unwrap();
        Note::sign(text, &[&key]).unwrap()
    }

    #[test]
    fn the_last_note_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let witness = WitnessFile::at(folder.path().join("checkpoints"));
        assert_eq!(witness.read_last().unwrap(), None);
        let mut all = String::new();
        for size in 1..2000 {
            let note = note(&format!("log\n{size}\nroot\n"));
            all += &format!("{note}\n");
            if size % 500 == 1 {
                std::fs::write(folder.path().join("checkpoints"), &all).unwrap();
                assert_eq!(witness.read_last().unwrap(), Some(note));
            }
        }
        std::fs::write(folder.path().join("checkpoints"), &all).unwrap();
        let last = note("log\n2000\nroot\n");
        witness.append(&last.to_string()).unwrap();
        all += &format!("{last}\n");
        assert_eq!(witness.read_last().unwrap(), Some(last));
        assert!(all.len() as u64 > TAIL);
        let written = std::fs::read_to_string(folder.path().join("checkpoints")).unwrap();
        assert_eq!(written, all);
    }

    #[test]
    fn an_end_that_is_no_note_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        let whole = format!("{}\n", note("log\n1\nroot\n"));
        for end in 1..whole.len() {
            std::fs::write(&path, &whole[..whole.floor_char_boundary(end)]).unwrap();
            let last = WitnessFile::at(path.clone()).read_last();
            assert!(
                matches!(last, Err(SealError::Witness(_))),
                "{end}: {last:?}"
            );
        }
        for rest in ["x", "\n", "log\n2\n"] {
            std::fs::write(&path, format!("{whole}{rest}")).unwrap();
            assert!(
                WitnessFile::at(path.clone()).read_last().is_err(),
                "{rest:?}"
            );
        }
        // A folder in its place.
        let last = WitnessFile::at(folder.path().to_path_buf());
        assert!(last.read_last().is_err() && last.append("").is_err());
    }
}
