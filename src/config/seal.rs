//! The section `[seal]`: the key that signs checkpoints of the ledger, and the second place where they are published.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::reader::{Invalid, Section};
use super::secret::Secret;

/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;
/// The most bytes of a key's file.
const MOST_BYTES: u64 = 4096;

/// `[seal]`: checkpoints.
#[derive(Clone, Debug)]
pub struct Seal {
    /// The name of the log in its checkpoints and keys: no white space, no `+`.
    pub name: String,
    /// The text of the signing key; `None` = nothing is sealed.
    pub key: Option<Secret>,
    /// The second place, which takes each checkpoint; `None` = they stay in the ledger's database alone.
    pub witness: Option<SealWitness>,
}

/// The second place of checkpoints.
#[derive(Clone, Debug)]
pub enum SealWitness {
    /// A file, to which each is appended.
    File(PathBuf),
    /// A URL with `https`, or with `http` to this machine. It may hold a password.
    Url(Secret),
}

impl SealWitness {
    /// Whether both are the same place.
    pub fn is(&self, other: &SealWitness) -> bool {
        match (self, other) {
            (SealWitness::File(a), SealWitness::File(b)) => a == b,
            (SealWitness::Url(a), SealWitness::Url(b)) => a.reveal() == b.reveal(),
            _ => false,
        }
    }

    fn read(text: &str, dir: &Path) -> Result<SealWitness, Invalid> {
        if !text.contains("://") {
            return match text.trim() {
                "" => Err(Invalid::Malformed),
                path => Ok(SealWitness::File(dir.join(path))),
            };
        }
        let url = Url::parse(text).map_err(|_| Invalid::Malformed)?;
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => Ok(SealWitness::Url(Secret::new(text))),
            ("http", Some(_)) if is_here => Ok(SealWitness::Url(Secret::new(text))),
            ("http", Some(_)) => Err(Invalid::Because(
                "must use https to another machine".to_owned(),
            )),
            _ => Err(Invalid::Malformed),
        }
    }
}

impl Seal {
    /// Reads the file of a signing key, which its owner alone may open.
    ///
    /// # Errors
    /// Returns the reason, without the content of the file.
    pub fn read_key(path: &Path) -> Result<Secret, String> {
        let failed = |error: io::Error| format!("cannot read the file it names ({})", error.kind());
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err("does not name a regular file".to_owned());
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & OTHERS != 0 {
            return Err(format!(
                "names a file that other users may open (mode {mode:o}): chmod 600"
            ));
        }
        let mut text = String::new();
        file.take(MOST_BYTES)
            .read_to_string(&mut text)
            .map_err(failed)?;
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }
}

/// Reads `[seal]`.
pub(super) fn seal(section: &mut Section<'_, '_>) -> Option<Seal> {
    let expected = "a name without white space and +, such as \"ledger.example.com\"";
    let name = section.parsed("name", expected, |text| {
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        let good = !text.is_empty() && !text.contains(bad);
        good.then(|| text.to_owned()).ok_or(Invalid::Malformed)
    });
    let dir = section.reader.dir;
    let key = match section.optional("key_file") {
        true => section.parsed("key_file", "the path of a file", |path| {
            let key = Seal::read_key(&dir.join(path)).map_err(Invalid::Because)?;
            Ok(Some(key))
        }),
        false => Some(None),
    };
    let expected = "the path of a file, or a URL such as \"https://witness.example.com/pointgate\"";
    let is_given = ["witness", "witness_file", "witness_env"];
    let witness = match is_given.iter().any(|key| section.has(key)) {
        true => section
            .parsed_secret("witness", expected, |text| SealWitness::read(text, dir))
            .map(Some),
        false => section.optional_secret("witness").map(|_| None),
    };
    Some(Seal {
        name: name?,
        key: key?,
        witness: witness?,
    })
}
