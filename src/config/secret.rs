//! Secrets: a type whose `Debug` hides the value, and the three ways to set one: inline, by file, by environment variable.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use super::errors::Location;
use super::reader::{Invalid, Section, type_error};
use super::tree::{Node, Value};

/// A secret value. `Debug` hides it; it has no `Display`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The value, for signing or connecting.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The bytes of the value.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[secret]")
    }
}

/// The way in which a secret is set.
#[derive(Clone, Copy)]
enum SecretSource {
    /// `key = "value"`.
    Inline,
    /// `key_file = "path"`.
    File,
    /// `key_env = "VARIABLE"`.
    Env,
}

/// The suffix of a key whose value is not inline, and its source.
const SUFFIXES: [(&str, SecretSource); 2] =
    [("_file", SecretSource::File), ("_env", SecretSource::Env)];

impl Section<'_, '_> {
    /// The secret `name`, from the key `name`, `name_file` or `name_env`.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        let (_, secret) = self.located_secret(name)?;
        Some(secret)
    }

    /// The secret `name`, converted by `parse`. `expected` completes the message "must be …"; neither it nor a reason may quote the
    /// secret.
    pub fn parsed_secret<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let ((key, location), secret) = self.located_secret(name)?;
        match parse(secret.reveal()) {
            Ok(value) => Some(value),
            Err(Invalid::Malformed) => self.error(&key, location, format!("must be {expected}")),
            Err(Invalid::Because(reason)) => self.error(&key, location, reason),
        }
    }

    /// The secret `name`, with the key that gives it and that key's location.
    fn located_secret(&mut self, name: &str) -> Option<((String, Location), Secret)> {
        let mut given = Vec::new();
        for suffix in ["", "_file", "_env"] {
            let key = format!("{name}{suffix}");
            given.extend(self.entries.remove_entry(&key));
            self.known.push(key);
        }
        self.resolve(name, given)
    }

    /// The secret `name`, or `Some(None)` if none of its three keys is given.
    pub fn optional_secret(&mut self, name: &str) -> Option<Option<Secret>> {
        let keys = ["", "_file", "_env"].map(|suffix| format!("{name}{suffix}"));
        if keys.iter().any(|key| self.has(key)) {
            return self.secret(name).map(Some);
        }
        self.known.extend(keys);
        Some(None)
    }

    /// All entries of the table, as secrets by their lower-case names.
    pub fn secrets(&mut self) -> Option<BTreeMap<String, Secret>> {
        let mut groups: BTreeMap<String, Vec<(String, Node)>> = BTreeMap::new();
        for (key, node) in std::mem::take(&mut self.entries) {
            let name = split_suffix(&key).0.to_lowercase();
            if name.trim().is_empty() {
                self.error::<()>(
                    &key,
                    node.location,
                    "has no name before its suffix".to_owned(),
                );
            } else {
                groups.entry(name).or_default().push((key, node));
            }
        }
        let mut secrets = BTreeMap::new();
        for (name, given) in groups {
            if let Some((_, secret)) = self.resolve(&name, given) {
                secrets.insert(name, secret);
            }
        }
        Some(secrets)
    }

    /// Picks the key of the highest layer among those given for one secret, and reads it. Two keys in that layer are an error.
    fn resolve(
        &mut self,
        name: &str,
        mut given: Vec<(String, Node)>,
    ) -> Option<((String, Location), Secret)> {
        let top = given.iter().map(|(_, node)| node.location.layer).max();
        given.retain(|(_, node)| Some(node.location.layer) == top);
        given.sort_by_key(|(_, node)| node.location.line);
        let Some((key, node)) = given.pop() else {
            return self.error(name, self.location.clone(), "is missing".to_owned());
        };
        if let Some((other, _)) = given.first() {
            let message = format!("is set twice, here and as {other}; keep one of them");
            return self.error(&key, node.location, message);
        }
        let value = match self.read_secret(&key, &node) {
            Ok(value) => value,
            Err(message) => return self.error(&key, node.location, message),
        };
        // Signing trims white space, so a blank secret would be an empty one.
        if value.trim().is_empty() {
            let message = "must not be empty".to_owned();
            return self.error(&key, node.location, message);
        }
        if self.reader.sample_secrets.contains(value.trim()) {
            self.reader.samples.push(self.path_to(name).join("."));
        }
        Some(((key, node.location), Secret(value)))
    }

    /// Reads the value of one key. No error may quote the given text: it may be a secret under the wrong key.
    fn read_secret(&self, key: &str, node: &Node) -> Result<String, String> {
        let (Value::Text(given) | Value::Raw(given)) = &node.value else {
            return Err(type_error("a string", &node.value));
        };
        match split_suffix(key).1 {
            SecretSource::Inline => Ok(given.clone()),
            SecretSource::File => match fs::read_to_string(self.reader.dir.join(given)) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => Err(format!(
                    "cannot read the file it names ({}); relative paths start from the directory of the \
                     configuration file",
                    error.kind()
                )),
            },
            SecretSource::Env => {
                let named = self.reader.env.iter().find(|(name, _)| name == given);
                let missing = "names an environment variable that is not set";
                named
                    .map(|(_, value)| value.clone())
                    .ok_or_else(|| missing.to_owned())
            }
        }
    }
}

/// Splits a key into the name of its secret and the source that its suffix stands for.
fn split_suffix(key: &str) -> (&str, SecretSource) {
    for (suffix, source) in SUFFIXES {
        let at = key.len().saturating_sub(suffix.len());
        if let Some((name, tail)) = key.split_at_checked(at)
            && tail.eq_ignore_ascii_case(suffix)
        {
            return (name, source);
        }
    }
    (key, SecretSource::Inline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_a_secret() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret:?}"), "[secret]");
        assert_eq!(secret.reveal(), "hush");
    }

    #[test]
    fn the_suffix_of_a_key_names_the_source() {
        assert!(matches!(
            split_suffix("salt"),
            ("salt", SecretSource::Inline)
        ));
        assert!(matches!(
            split_suffix("salt_FILE"),
            ("salt", SecretSource::File)
        ));
        assert!(matches!(
            split_suffix("iphone_env"),
            ("iphone", SecretSource::Env)
        ));
        assert!(matches!(split_suffix("é"), ("é", SecretSource::Inline)));
    }
}
