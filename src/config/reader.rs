//! Reads typed settings out of the merged tree and notes every mistake on the way.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;

use super::errors::{ConfigError, Origin, nearest};
use super::tree::{Node, Table, Value, from_variable};

/// What reading a configuration needs and gathers beside the settings.
pub(super) struct Desk<'e> {
    /// The configuration file's directory, which relative paths start from.
    pub dir: &'e Path,
    /// The environment, for secrets that are named by a variable.
    pub env: &'e [(String, String)],
    /// The built-in sample secrets.
    pub known_samples: BTreeSet<String>,
    /// The settings that were found to hold one of those.
    pub samples: Vec<String>,
    /// Everything that was wrong.
    pub mistakes: Vec<ConfigError>,
}

/// Why a text is not the value that a setting wants.
pub(super) enum Wrong {
    /// It is no such thing; the reader says what a good one looks like.
    NotOne,
    /// It is one, yet not acceptable.
    Because(String),
}

/// One table of settings. Every reading function gives `None` after it has noted a mistake.
pub(super) struct Section<'d, 'e> {
    pub(super) desk: &'d mut Desk<'e>,
    pub(super) path: Vec<String>,
    pub(super) origin: Origin,
    pub(super) entries: Table,
    pub(super) known: Vec<String>,
    hint: Option<String>,
}

impl<'e> Section<'_, 'e> {
    /// Reads the whole tree by `read`; what `read` did not ask for is a mistake.
    pub fn root<T>(
        desk: &mut Desk<'e>,
        origin: Origin,
        entries: Table,
        read: impl FnOnce(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<T> {
        Section::open(desk, Vec::new(), origin, entries, read)
    }

    /// Reads the table `key` by `read`; what `read` did not ask for is a mistake.
    pub fn section<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<T> {
        let node = self.take(key)?;
        let path = self.path_to(key);
        match node.value {
            Value::Table(entries) => Section::open(self.desk, path, node.origin, entries, read),
            other => self.refuse(key, node.origin, must("a table", &other)),
        }
    }

    /// A string that `parse` turns into the setting; `what` names a good one, as in "must be `what`".
    pub fn parsed<T>(
        &mut self,
        key: &str,
        what: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let node = self.take(key)?;
        let origin = node.origin.clone();
        match parse_node(&node, what, &parse) {
            Ok(value) => Some(value),
            Err(text) => self.refuse(key, origin, text),
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<String> = choices
            .iter()
            .map(|(word, _)| format!("{word:?}"))
            .collect();
        let what = format!("one of {}", words.join(", "));
        self.parsed(key, &what, |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or(Wrong::NotOne)
        })
    }

    /// A list of strings, each turned into an entry by `parse`; a variable may also hold words with commas between.
    pub fn list<T>(
        &mut self,
        key: &str,
        what: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<T>> {
        let node = self.take(key)?;
        let items = match node.value {
            Value::List(items) => items,
            Value::Raw(text) => match words(&text, &node.origin) {
                Some(items) => items,
                None => {
                    return self.refuse(key, node.origin, format!("must be a list, each {what}"));
                }
            },
            other => {
                let text = must(&format!("a list, each {what}"), &other);
                return self.refuse(key, node.origin, text);
            }
        };
        let mut values = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            match parse_node(item, what, &parse) {
                Ok(value) => values.push(value),
                Err(text) => {
                    let text = format!("entry {}: {text}", at + 1);
                    self.refuse::<T>(key, item.origin.clone(), text);
                }
            }
        }
        (values.len() == items.len()).then_some(values)
    }

    /// A list of tables, `[[key]]`, each read by `read`; a variable may hold one as TOML.
    pub fn tables<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let node = self.take(key)?;
        let value = match node.value {
            Value::Raw(text) => {
                from_variable(&text, &node.origin).unwrap_or(Value::Other("other text"))
            }
            other => other,
        };
        let items = match value {
            Value::List(items) => items,
            other => return self.refuse(key, node.origin, must("a list of tables", &other)),
        };
        let (mut values, count) = (Vec::with_capacity(items.len()), items.len());
        for (at, item) in items.into_iter().enumerate() {
            let mut path = self.path_to(key);
            path.push((at + 1).to_string());
            match item.value {
                Value::Table(entries) => {
                    let read = &mut read;
                    values.extend(Section::open(self.desk, path, item.origin, entries, read));
                }
                other => self.desk.mistakes.push(ConfigError {
                    origin: item.origin,
                    path,
                    text: must("a table", &other),
                }),
            }
        }
        (values.len() == count).then_some(values)
    }

    /// An integer within `range`, whose bounds must fit `T`.
    pub fn integer<T: TryFrom<i64>>(&mut self, key: &str, range: RangeInclusive<i64>) -> Option<T> {
        let node = self.take(key)?;
        let value = match node.value {
            Value::Raw(text) => {
                from_variable(&text, &node.origin).unwrap_or(Value::Other("other text"))
            }
            other => other,
        };
        let what = format!("an integer from {} to {}", range.start(), range.end());
        match value {
            Value::Integer(Some(number)) if range.contains(&number) => match T::try_from(number) {
                Ok(number) => Some(number),
                Err(_) => self.refuse(key, node.origin, format!("must be {what}")),
            },
            Value::Integer(_) => self.refuse(key, node.origin, format!("must be {what}")),
            other => self.refuse(key, node.origin, must(&what, &other)),
        }
    }

    /// Whether the table has this key; for a key that not every table of its kind may have.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Takes a key that exists but must not, for this reason.
    pub fn forbid(&mut self, key: &str, reason: &str) {
        if let Some(node) = self.take(key) {
            self.refuse::<()>(key, node.origin, reason.to_owned());
        }
    }

    /// What to say of unknown keys instead of listing the known ones.
    pub fn hint(&mut self, hint: &str) {
        self.hint = Some(hint.to_owned());
    }

    /// Notes a mistake about `key`.
    pub fn refuse<T>(&mut self, key: &str, origin: Origin, text: String) -> Option<T> {
        let path = self.path_to(key);
        self.desk.mistakes.push(ConfigError { origin, path, text });
        None
    }

    /// The path of `key` from the root.
    pub fn path_to(&self, key: &str) -> Vec<String> {
        self.path.iter().cloned().chain([key.to_owned()]).collect()
    }

    fn open<T>(
        desk: &mut Desk<'e>,
        path: Vec<String>,
        origin: Origin,
        entries: Table,
        read: impl FnOnce(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<T> {
        let mut section = Section {
            desk,
            path,
            origin,
            entries,
            known: Vec::new(),
            hint: None,
        };
        let value = read(&mut section);
        section.refuse_the_rest();
        value
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        self.known.push(key.to_owned());
        let node = self.entries.remove(key);
        if node.is_none() {
            self.refuse(key, self.origin.clone(), "is missing".to_owned())
        } else {
            node
        }
    }

    fn refuse_the_rest(&mut self) {
        for (key, node) in std::mem::take(&mut self.entries) {
            let what = match node.value {
                Value::Table(_) => "unknown section",
                _ => "unknown key",
            };
            let near = nearest(&key, self.known.iter().map(String::as_str));
            let hint = match (&self.hint, near) {
                (Some(hint), _) => hint.clone(),
                (None, Some(near)) => format!("did you mean \"{near}\"?"),
                (None, None) => format!("known keys are {}", self.known.join(", ")),
            };
            self.refuse::<()>(&key, node.origin, format!("{what}; {hint}"));
        }
    }
}

/// "must be an integer, not a list".
pub(super) fn must(what: &str, found: &Value) -> String {
    format!("must be {what}, not {}", found.kind())
}

fn parse_node<T>(
    node: &Node,
    what: &str,
    parse: &impl Fn(&str) -> Result<T, Wrong>,
) -> Result<T, String> {
    match &node.value {
        Value::Text(text) | Value::Raw(text) => parse(text).map_err(|wrong| match wrong {
            Wrong::NotOne => format!("must be {what}"),
            Wrong::Because(reason) => reason,
        }),
        other => Err(format!("must be a string, not {}: {what}", other.kind())),
    }
}

fn words(text: &str, origin: &Origin) -> Option<Vec<Node>> {
    if text.trim_start().starts_with('[') {
        return match from_variable(text, origin)? {
            Value::List(items) => Some(items),
            _ => None,
        };
    }
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let node = |word: &str| Node {
        origin: origin.clone(),
        value: Value::Text(word.to_owned()),
    };
    Some(words.map(node).collect())
}
