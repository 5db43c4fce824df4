//! Checkpoints (C2SP tlog-checkpoint): the name, the size and the root of a log, as the text of a signed note.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::ledger::book::entry::Hash;
use crate::ledger::proof::note;

/// A state of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log, which is that of its key.
    pub name: String,
    /// The number of its leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The three lines of the note's text.
    pub fn text(&self) -> String {
        let root = STANDARD.encode(self.root);
        format!("{}\n{}\n{root}\n", self.name, self.size)
    }

    /// Reads the text of a note. `None` if it has another form, or lines of an extension, which this log never has.
    pub fn parse(text: &str) -> Option<Checkpoint> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (name, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let size_is_plain = size == "0" || !size.starts_with(['0', '+']);
        let good = lines.next().is_none() && note::is_name(name) && size_is_plain;
        good.then_some(Checkpoint {
            name: name.to_owned(),
            size: size.parse().ok()?,
            root: STANDARD.decode(root).ok()?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of C2SP tlog-checkpoint.
    const EXAMPLE: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_published_example_is_read_and_written() {
        let checkpoint = Checkpoint::parse(EXAMPLE).unwrap();
        assert_eq!(checkpoint.name, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.root[..3], [0x0a, 0xc5, 0x18]);
        assert_eq!(checkpoint.text(), EXAMPLE);
    }

    #[test]
    fn another_form_is_refused() {
        for text in [
            "",
            "\n\n\n",
            EXAMPLE.trim_end(),
            &EXAMPLE.replace("example.com/behind-the-sofa", ""),
            &EXAMPLE.replace("the-", "the "),
            &EXAMPLE.replace("20852163", ""),
            &EXAMPLE.replace("20852163", "020852163"),
            &EXAMPLE.replace("20852163", "+20852163"),
            &EXAMPLE.replace("20852163", "-1"),
            &EXAMPLE.replace("20852163", "99999999999999999999"),
            &EXAMPLE.replace("q2I=", "q2I"),
            &EXAMPLE.replace("q2I=", "q2J="),
            &EXAMPLE.replace("CsUY", ""),
            &format!("{EXAMPLE}extension\n"),
        ] {
            assert_eq!(Checkpoint::parse(text), None, "{text}");
        }
    }
}
