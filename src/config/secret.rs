//! Secrets: how they are given, and a type that does not show them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use super::reader::{Section, must};
use super::tree::{Node, Value};

/// A secret's value; its `Debug` does not show it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The value itself, for signing with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[secret]")
    }
}

/// How a secret is given.
#[derive(Clone, Copy)]
enum Spelling {
    Value,
    File,
    Env,
}

/// The endings that tell the spellings apart.
const SPELLINGS: [(&str, Spelling); 2] = [("_file", Spelling::File), ("_env", Spelling::Env)];

impl Section<'_, '_> {
    /// The secret `name`, which may be spelled `name`, `name_file` or `name_env`.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        let mut given = Vec::new();
        for ending in ["", "_file", "_env"] {
            let key = format!("{name}{ending}");
            given.extend(self.entries.remove_entry(&key));
            self.known.push(key);
        }
        self.settle(name, given)
    }

    /// The secret `name` where it is given in any spelling.
    pub fn optional_secret(&mut self, name: &str) -> Option<Option<Secret>> {
        let spellings = ["", "_file", "_env"].map(|ending| format!("{name}{ending}"));
        if spellings.iter().any(|key| self.has(key)) {
            return self.secret(name).map(Some);
        }
        self.known.extend(spellings);
        Some(None)
    }

    /// All entries of the table as secrets by their lower-cased names.
    pub fn secrets(&mut self) -> Option<BTreeMap<String, Secret>> {
        let mut groups: BTreeMap<String, Vec<(String, Node)>> = BTreeMap::new();
        for (key, node) in std::mem::take(&mut self.entries) {
            let name = split(&key).0.to_lowercase();
            if name.trim().is_empty() {
                self.refuse::<()>(&key, node.origin, "has no name".to_owned());
            } else {
                groups.entry(name).or_default().push((key, node));
            }
        }
        let mut secrets = BTreeMap::new();
        for (name, given) in groups {
            if let Some(secret) = self.settle(&name, given) {
                secrets.insert(name, secret);
            }
        }
        Some(secrets)
    }

    /// The secret out of its spellings: those of the uppermost layer count, and must be only one.
    fn settle(&mut self, name: &str, mut given: Vec<(String, Node)>) -> Option<Secret> {
        let top = given.iter().map(|(_, node)| node.origin.layer).max();
        given.retain(|(_, node)| Some(node.origin.layer) == top);
        given.sort_by_key(|(_, node)| node.origin.line);
        let Some((key, node)) = given.pop() else {
            return self.refuse(name, self.origin.clone(), "is missing".to_owned());
        };
        if let Some((other, _)) = given.first() {
            let text = format!("is given twice, here and as {other}; keep one of them");
            return self.refuse(&key, node.origin, text);
        }
        let value = match self.fetch(&key, &node) {
            Ok(value) => value,
            Err(text) => return self.refuse(&key, node.origin, text),
        };
        // Signing trims white space, so a blank secret is an empty one.
        if value.trim().is_empty() {
            let text = "is empty; a secret must have a value".to_owned();
            return self.refuse(&key, node.origin, text);
        }
        if self.desk.known_samples.contains(value.trim()) {
            self.desk.samples.push(self.path_to(name).join("."));
        }
        Some(Secret(value))
    }

    /// The value behind a spelling. No text here may quote what was given: it may be the secret in the wrong place.
    fn fetch(&self, key: &str, node: &Node) -> Result<String, String> {
        let (Value::Text(given) | Value::Raw(given)) = &node.value else {
            return Err(must("a string", &node.value));
        };
        match split(key).1 {
            Spelling::Value => Ok(given.clone()),
            Spelling::File => match fs::read_to_string(self.desk.dir.join(given)) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => Err(format!(
                    "cannot read the file that it names ({}); a relative path starts from the \
                     configuration file's directory",
                    error.kind()
                )),
            },
            Spelling::Env => {
                let named = self.desk.env.iter().find(|(name, _)| name == given);
                let missing = "the environment variable that it names is not set";
                named
                    .map(|(_, value)| value.clone())
                    .ok_or_else(|| missing.to_owned())
            }
        }
    }
}

/// A key's name and spelling.
fn split(key: &str) -> (&str, Spelling) {
    for (ending, spelling) in SPELLINGS {
        let at = key.len().saturating_sub(ending.len());
        if let Some((name, tail)) = key.split_at_checked(at)
            && tail.eq_ignore_ascii_case(ending)
        {
            return (name, spelling);
        }
    }
    (key, Spelling::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret:?}"), "[secret]");
        assert_eq!(secret.reveal(), "hush");
    }

    #[test]
    fn a_spelling_is_told_by_its_ending() {
        assert!(matches!(split("salt"), ("salt", Spelling::Value)));
        assert!(matches!(split("salt_FILE"), ("salt", Spelling::File)));
        assert!(matches!(split("iphone_env"), ("iphone", Spelling::Env)));
        assert!(matches!(split("é"), ("é", Spelling::Value)));
    }
}
