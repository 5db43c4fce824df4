//! Configuration errors, each with its location.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// All errors of a configuration, in the order of the layers and lines. `Display` writes one per line and never shows a secret.
#[derive(Clone, Debug)]
pub struct ConfigErrors(pub(super) Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(out, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl ConfigErrors {
    /// Combines the syntax errors of the text with the errors of its settings.
    ///
    /// After a syntax error the parser may take a piece of a secret for a key. From the first such line on, errors about the
    /// file are dropped unless all keys that they name are in `known_keys`.
    pub(super) fn new(
        syntax: Vec<ConfigError>,
        mut settings: Vec<ConfigError>,
        known_keys: &BTreeSet<String>,
    ) -> Self {
        let lines: BTreeSet<usize> = syntax.iter().map(|error| error.location.line).collect();
        if let Some(&first) = lines.first() {
            settings.retain(|error| {
                let line = error.location.line;
                error.location.layer != Layer::File
                    || line < first
                    || (!lines.contains(&line)
                        && error.path.iter().all(|key| known_keys.contains(key)))
            });
        }
        let mut all = syntax;
        all.append(&mut settings);
        all.sort_by(|a, b| a.location.order().cmp(&b.location.order()));
        ConfigErrors(all)
    }
}

/// One error of a configuration.
#[derive(Clone, Debug)]
pub(super) struct ConfigError {
    /// The file and line, or the variable, that causes it.
    pub location: Location,
    /// The path of the key from the root; empty if the error is about no key.
    pub path: Vec<String>,
    /// The reason, and the expected value if there is one. It must not quote a value, which may be a secret.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.location)?;
        // The name of a variable already is the path.
        if self.location.layer != Layer::Env
            && let Some((key, sections)) = self.path.split_last()
        {
            if !sections.is_empty() {
                let names: Vec<String> = sections.iter().map(|name| escaped(name)).collect();
                write!(out, "[{}] ", names.join("."))?;
            }
            write!(out, "{}: ", escaped(key))?;
        }
        out.write_str(&self.message)
    }
}

/// The layer of a value; later layers override earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// The committed gateway.toml.
    BuiltIn,
    /// The operator's file.
    File,
    /// The process's environment.
    Env,
}

/// The location of a value: a line of a file, or an environment variable.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub layer: Layer,
    /// The name of the file or of the variable.
    pub name: Arc<str>,
    /// The line in the file, from 1; 0 for a variable or a file as a whole.
    pub line: usize,
}

impl Location {
    /// The location of an environment variable.
    pub fn variable(name: &str) -> Self {
        Location {
            layer: Layer::Env,
            name: escaped(name).into(),
            line: 0,
        }
    }

    /// The location of a file as a whole.
    pub fn file(name: impl fmt::Display) -> Self {
        Location {
            layer: Layer::File,
            name: name.to_string().into(),
            line: 0,
        }
    }

    fn order(&self) -> (Layer, usize, &str) {
        (self.layer, self.line, &self.name)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => out.write_str(&self.name),
            line => write!(out, "{}:{line}", self.name),
        }
    }
}

/// The candidate nearest to a mistyped `name`: at most one edit per three characters away, and at least one edit is allowed.
pub(super) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let limit = (name.chars().count() / 3).max(1);
    let name = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&name, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Escapes a name for an error message: one line, in quotes unless it is of letters, digits, `_` and `-`.
pub(super) fn escaped(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_a_near_name_and_no_far_one() {
        let keys = ["listen", "workers", "trusted_proxies"];
        assert_eq!(nearest("listne", keys), Some("listen"));
        assert_eq!(nearest("Workers", keys), Some("workers"));
        assert_eq!(nearest("port", keys), None);
    }

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(escaped("client_keys"), "client_keys");
        assert_eq!(escaped("a\nb"), "\"a\\nb\"");
    }
}
