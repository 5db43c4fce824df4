//! Typed access to the merged tree. Reading goes on after an error, so that one run reports all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;

use super::errors::{ConfigError, Layer, Location, nearest};
use super::tree::{Node, Table, Value, from_variable};

/// The inputs and findings that all sections share while a configuration is read.
pub(super) struct Reader<'e> {
    /// The directory of the configuration file, from which relative paths start.
    pub dir: &'e Path,
    /// The environment, for secrets in variables that the configuration names.
    pub env: &'e [(String, String)],
    /// The values of the built-in sample secrets.
    pub sample_secrets: BTreeSet<String>,
    /// The paths of the settings that hold one of them.
    pub samples: Vec<String>,
    /// The errors found so far.
    pub errors: Vec<ConfigError>,
}

/// The reason why a text is not valid for a setting.
pub(super) enum Invalid {
    /// The text has another form; the message says which form is expected.
    Malformed,
    /// The text has the right form, but its value is refused for this reason.
    Because(String),
}

/// One table of settings. Every reading function records an error and returns `None` if it cannot return a valid value.
pub(super) struct Section<'d, 'e> {
    pub(super) reader: &'d mut Reader<'e>,
    pub(super) path: Vec<String>,
    pub(super) location: Location,
    pub(super) entries: Table,
    pub(super) known: Vec<String>,
    hint: Option<String>,
}

impl<'e> Section<'_, 'e> {
    /// Reads the root table with `read`. A key that `read` does not ask for is an error.
    pub fn root<T>(
        reader: &mut Reader<'e>,
        location: Location,
        entries: Table,
        read: impl FnOnce(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<T> {
        Section::open(reader, Vec::new(), location, entries, read)
    }

    /// Reads the table `key` with `read`. A key in it that `read` does not ask for is an error.
    pub fn section<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<T> {
        let node = self.take(key)?;
        let path = self.path_to(key);
        match node.value {
            Value::Table(entries) => Section::open(self.reader, path, node.location, entries, read),
            other => self.error(key, node.location, type_error("a table", &other)),
        }
    }

    /// A string, converted by `parse`. `expected` completes the message "must be …".
    pub fn parsed<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let node = self.take(key)?;
        match parse_node(&node, expected, &parse) {
            Ok(value) => Some(value),
            Err(message) => self.error(key, node.location, message),
        }
    }

    /// One of a few strings, converted to the value beside it.
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<String> = choices
            .iter()
            .map(|(name, _)| format!("{name:?}"))
            .collect();
        let expected = format!("one of {}", names.join(", "));
        self.parsed(key, &expected, |text| {
            let found = choices.iter().find(|(name, _)| *name == text);
            found.map(|(_, value)| *value).ok_or(Invalid::Malformed)
        })
    }

    /// A list of strings, each converted by `parse`. A variable may also hold comma-separated values.
    pub fn list<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<Vec<T>> {
        let node = self.take(key)?;
        let items = match node.value {
            Value::List(items) => items,
            Value::Raw(text) => match split_list(&text, &node.location) {
                Some(items) => items,
                None => {
                    let message = format!("must be a list; each entry must be {expected}");
                    return self.error(key, node.location, message);
                }
            },
            other => {
                let list = type_error("a list", &other);
                let message = format!("{list}; each entry must be {expected}");
                return self.error(key, node.location, message);
            }
        };
        let mut values = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            match parse_node(item, expected, &parse) {
                Ok(value) => values.push(value),
                Err(message) => {
                    let message = format!("entry {}: {message}", at + 1);
                    self.error::<T>(key, item.location.clone(), message);
                }
            }
        }
        (values.len() == items.len()).then_some(values)
    }

    /// A list of tables, `[[key]]`, each read with `read`. A variable may hold such a list as TOML.
    pub fn tables<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let node = self.take(key)?;
        let value = match node.value {
            Value::Raw(text) => {
                from_variable(&text, &node.location).unwrap_or(Value::Other("a string"))
            }
            other => other,
        };
        let items = match value {
            Value::List(items) => items,
            other => {
                let message = type_error("a list of tables", &other);
                return self.error(key, node.location, message);
            }
        };
        let (mut values, count) = (Vec::with_capacity(items.len()), items.len());
        for (at, item) in items.into_iter().enumerate() {
            let mut path = self.path_to(key);
            path.push((at + 1).to_string());
            match item.value {
                Value::Table(entries) => {
                    let read = &mut read;
                    values.extend(Section::open(
                        self.reader,
                        path,
                        item.location,
                        entries,
                        read,
                    ));
                }
                other => self.reader.errors.push(ConfigError {
                    location: item.location,
                    path,
                    message: type_error("a table", &other),
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
                from_variable(&text, &node.location).unwrap_or(Value::Other("a string"))
            }
            other => other,
        };
        let expected = format!("an integer from {} to {}", range.start(), range.end());
        match value {
            Value::Integer(Some(number)) if range.contains(&number) => match T::try_from(number) {
                Ok(number) => Some(number),
                Err(_) => self.error(key, node.location, format!("must be {expected}")),
            },
            Value::Integer(_) => self.error(key, node.location, format!("must be {expected}")),
            other => self.error(key, node.location, type_error(&expected, &other)),
        }
    }

    /// An integer as [`Section::integer`] reads it, or `Some(None)` without the key.
    pub fn optional_integer<T: TryFrom<i64>>(
        &mut self,
        key: &str,
        range: RangeInclusive<i64>,
    ) -> Option<Option<T>> {
        match self.optional(key) {
            true => self.integer(key, range).map(Some),
            false => Some(None),
        }
    }

    /// The tables in this table, each read with `read`, by their names in lower case.
    pub fn named_tables<T>(
        &mut self,
        mut read: impl FnMut(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        let names: Vec<String> = self.entries.keys().cloned().collect();
        let (mut tables, mut all_good) = (BTreeMap::new(), true);
        for name in names {
            let location = self.entries.get(&name).map(|node| node.location.clone());
            // `section` has recorded its error.
            let Some(table) = self.section(&name, &mut read) else {
                all_good = false;
                continue;
            };
            if tables.insert(name.to_lowercase(), table).is_some() {
                let location = location.unwrap_or_else(|| self.location.clone());
                self.error::<()>(&name, location, "is set twice".to_owned());
                all_good = false;
            }
        }
        all_good.then_some(tables)
    }

    /// Where a key stands; without the key, where its table does.
    pub fn location_of(&self, key: &str) -> Location {
        let node = self.entries.get(key);
        node.map_or(&self.location, |node| &node.location).clone()
    }

    /// Whether the value of a key is that of the committed gateway.toml.
    pub fn is_built_in(&self, key: &str) -> bool {
        let node = self.entries.get(key);
        node.is_some_and(|node| node.location.layer == Layer::BuiltIn)
    }

    /// Whether the table has this optional key, which is then known.
    pub fn optional(&mut self, key: &str) -> bool {
        self.known.push(key.to_owned());
        self.has(key)
    }

    /// Whether the table has this key, for optional keys.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Reports `key` as an error for this reason if the table has it.
    pub fn forbid(&mut self, key: &str, reason: &str) {
        if let Some(node) = self.entries.remove(key) {
            self.error::<()>(key, node.location, reason.to_owned());
        }
    }

    /// Sets the hint in messages about unknown keys, instead of a similar name or the list of known keys.
    pub fn hint(&mut self, hint: &str) {
        self.hint = Some(hint.to_owned());
    }

    /// Records an error about `key`. Returns `None`, for the caller to return.
    pub fn error<T>(&mut self, key: &str, location: Location, message: String) -> Option<T> {
        let path = self.path_to(key);
        self.reader.errors.push(ConfigError {
            location,
            path,
            message,
        });
        None
    }

    /// The path of `key` from the root.
    pub fn path_to(&self, key: &str) -> Vec<String> {
        self.path.iter().cloned().chain([key.to_owned()]).collect()
    }

    fn open<T>(
        reader: &mut Reader<'e>,
        path: Vec<String>,
        location: Location,
        entries: Table,
        read: impl FnOnce(&mut Section<'_, 'e>) -> Option<T>,
    ) -> Option<T> {
        let mut section = Section {
            reader,
            path,
            location,
            entries,
            known: Vec::new(),
            hint: None,
        };
        let value = read(&mut section);
        section.report_unknown_keys();
        value
    }

    /// Removes and returns a required key.
    fn take(&mut self, key: &str) -> Option<Node> {
        self.known.push(key.to_owned());
        let node = self.entries.remove(key);
        if node.is_none() {
            self.error(key, self.location.clone(), "is missing".to_owned())
        } else {
            node
        }
    }

    fn report_unknown_keys(&mut self) {
        for (key, node) in std::mem::take(&mut self.entries) {
            let problem = match node.value {
                Value::Table(_) => "unknown section",
                _ => "unknown key",
            };
            let near = nearest(&key, self.known.iter().map(String::as_str));
            let hint = match (&self.hint, near) {
                (Some(hint), _) => hint.clone(),
                (None, Some(near)) => format!("did you mean \"{near}\"?"),
                (None, None) => format!("known keys are {}", self.known.join(", ")),
            };
            self.error::<()>(&key, node.location, format!("{problem}; {hint}"));
        }
    }
}

/// The message about a value of the wrong type: "must be an integer, not a list".
pub(super) fn type_error(expected: &str, found: &Value) -> String {
    format!("must be {expected}, not {}", found.kind())
}

fn parse_node<T>(
    node: &Node,
    expected: &str,
    parse: &impl Fn(&str) -> Result<T, Invalid>,
) -> Result<T, String> {
    match &node.value {
        Value::Text(text) | Value::Raw(text) => parse(text).map_err(|invalid| match invalid {
            Invalid::Malformed => format!("must be {expected}"),
            Invalid::Because(reason) => reason,
        }),
        other => Err(format!(
            "must be a string, not {}: {expected}",
            other.kind()
        )),
    }
}

/// Splits the text of a variable: a TOML list, or comma-separated values. `None` if it is an invalid TOML list.
fn split_list(text: &str, location: &Location) -> Option<Vec<Node>> {
    if text.trim_start().starts_with('[') {
        return match from_variable(text, location)? {
            Value::List(items) => Some(items),
            _ => None,
        };
    }
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let node = |item: &str| Node {
        location: location.clone(),
        value: Value::Text(item.to_owned()),
    };
    Some(items.map(node).collect())
}
