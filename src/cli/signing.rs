//! The keys that sign checkpoints: making one, and reading those of the configuration.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use super::output::{self, Escaped};
use crate::config::{self, Config};
use crate::ledger::proof::note::SigningKey;

/// Makes a signing key for the name of `[seal]`, in a file for its owner alone, and prints the public half.
pub fn keygen(config: &Config, path: &Path) -> Result<(), String> {
    let mut seed = [0; 32];
    let filled = SystemRandom::new().fill(&mut seed);
    filled.map_err(|_| "the system has no random bytes".to_owned())?;
    let made = SigningKey::generate(&config.seal.name, &seed);
    let (key, text) = made.ok_or("seal.name cannot be the name of a key")?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(format!("{text}\n").as_bytes())?;
            file.sync_all()
        });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!("{} exists already", path.display()),
        _ => format!("cannot write {}: {error}", path.display()),
    })?;
    output::line(Escaped(key.verifier()))
}

/// The signing key of `[seal]`; `None` if there is none.
///
/// # Errors
/// Returns a message for the user if the file holds no key, or one of another name.
pub fn signing_key(config: &Config) -> Result<Option<SigningKey>, String> {
    let Some(text) = &config.seal.key else {
        return Ok(None);
    };
    let key = SigningKey::parse(text.reveal())
        .ok_or("seal.key_file: the file does not hold a key of `pointgate seal keygen`")?;
    let (of, wanted) = (key.verifier().name(), &config.seal.name);
    match of == wanted {
        true => Ok(Some(key)),
        false => Err(format!(
            "seal.key_file: the key is one of {of}, not of {wanted}"
        )),
    }
}

/// The key that signs after the next seal, from its file.
///
/// # Errors
/// As [`signing_key`].
pub fn next_key(config: &Config, path: &Path) -> Result<SigningKey, String> {
    let failed = |why: &str| format!("{}: {why}", path.display());
    let text = config::Seal::read_key(path).map_err(|why| failed(&why))?;
    let key = SigningKey::parse(text.reveal())
        .ok_or_else(|| failed("the file does not hold a key of `pointgate seal keygen`"))?;
    match key.verifier().name() == config.seal.name {
        true => Ok(key),
        false => Err(failed("the key is of another name")),
    }
}
