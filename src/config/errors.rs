//! What is wrong with a configuration: every mistake at once, each with its place.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Every mistake of a configuration, in the order of the file; displayed one a line, never with a secret's value.
#[derive(Clone, Debug)]
pub struct ConfigErrors(pub(super) Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(out, "{end}{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl ConfigErrors {
    /// One set of mistakes out of those of the text itself and those of what was read from it.
    ///
    /// What follows broken text may be a piece of a secret that is taken for a key, so from the first broken line on only
    /// keys of the `vocabulary` are named.
    pub(super) fn settle(
        broken: Vec<ConfigError>,
        mut wrong: Vec<ConfigError>,
        vocabulary: &BTreeSet<String>,
    ) -> Self {
        let lines: BTreeSet<usize> = broken.iter().map(|mistake| mistake.origin.line).collect();
        if let Some(&first) = lines.first() {
            wrong.retain(|mistake| {
                let line = mistake.origin.line;
                mistake.origin.layer != Layer::File
                    || line < first
                    || (!lines.contains(&line)
                        && mistake.path.iter().all(|key| vocabulary.contains(key)))
            });
        }
        let mut all = broken;
        all.append(&mut wrong);
        all.sort_by(|one, other| one.origin.order().cmp(&other.origin.order()));
        ConfigErrors(all)
    }
}

/// One mistake.
#[derive(Clone, Debug)]
pub(super) struct ConfigError {
    /// Where it stands.
    pub origin: Origin,
    /// The key's path from the root; empty where the place says it all.
    pub path: Vec<String>,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.origin)?;
        // A variable's name is the path already.
        if self.origin.layer != Layer::Env
            && let Some((key, sections)) = self.path.split_last()
        {
            if !sections.is_empty() {
                let names: Vec<String> = sections.iter().map(|name| shown(name)).collect();
                write!(out, "[{}] ", names.join("."))?;
            }
            write!(out, "{}: ", shown(key))?;
        }
        out.write_str(&self.text)
    }
}

/// The layer that a value comes from; a later one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// The committed gateway.toml.
    BuiltIn,
    /// The operator's file.
    File,
    /// The process's environment.
    Env,
}

/// Where a value stands.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// Its layer.
    pub layer: Layer,
    /// The file's or the variable's name.
    pub name: Arc<str>,
    /// The line in the file, from 1; 0 where there is none.
    pub line: usize,
}

impl Origin {
    /// The place of an environment variable.
    pub fn variable(name: &str) -> Self {
        Origin {
            layer: Layer::Env,
            name: shown(name).into(),
            line: 0,
        }
    }

    /// The place of a file as a whole.
    pub fn file(name: impl fmt::Display) -> Self {
        Origin {
            layer: Layer::File,
            name: name.to_string().into(),
            line: 0,
        }
    }

    fn order(&self) -> (Layer, usize, &str) {
        (self.layer, self.line, &self.name)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => out.write_str(&self.name),
            line => write!(out, "{}:{line}", self.name),
        }
    }
}

/// The candidate that `word` most likely was meant to be, if any is near enough.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let limit = (word.chars().count() / 3).max(1);
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A name as it may stand in an error: on one line, quoted where it is not a plain word.
pub(super) fn shown(name: &str) -> String {
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
    fn a_near_word_is_found_and_a_far_one_is_not() {
        let keys = ["listen", "workers", "trusted_proxies"];
        assert_eq!(nearest("listne", keys), Some("listen"));
        assert_eq!(nearest("Workers", keys), Some("workers"));
        assert_eq!(nearest("port", keys), None);
    }

    #[test]
    fn a_name_stays_on_one_line() {
        assert_eq!(shown("client_keys"), "client_keys");
        assert_eq!(shown("a\nb"), "\"a\\nb\"");
    }
}
