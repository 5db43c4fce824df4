//! The layers of the configuration as trees of values with locations, and how they merge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::errors::{ConfigError, Layer, Location};

/// The prefix of environment variables that hold settings.
pub(super) const PREFIX: &str = "POINTGATE__";

/// The prefix that marks the sample secrets of the committed gateway.toml.
const SAMPLE_PREFIX: &str = "sample-";

/// A table: its values by key.
pub(super) type Table = BTreeMap<String, Node>;

/// A value and its location. It has no `Debug`, since the value may be a secret.
#[derive(Clone)]
pub(super) struct Node {
    pub location: Location,
    pub value: Value,
}

/// A value as it was parsed, before a section reads it as a setting.
#[derive(Clone)]
pub(super) enum Value {
    /// A TOML string.
    Text(String),
    /// The text of a variable: a string, or TOML if the setting is of another type.
    Raw(String),
    /// A TOML integer; `None` if it does not fit 64 bits.
    Integer(Option<i64>),
    /// A TOML array, or the comma-separated values of a variable.
    List(Vec<Node>),
    /// A TOML table.
    Table(Table),
    /// A value of a type that no setting has; the text is [`Value::kind`].
    Other(&'static str),
}

impl Value {
    /// The type of the value with its article, for messages: `an integer`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) | Value::Raw(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }
}

/// Parses TOML, skipping what is not valid; adds at most one syntax error per line to `errors`.
pub(super) fn from_toml(
    text: &str,
    layer: Layer,
    name: &str,
    errors: &mut Vec<ConfigError>,
) -> Table {
    let name: Arc<str> = name.into();
    let locate = |at: usize| Location {
        layer,
        name: name.clone(),
        line: line_of(text, at),
    };
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    let mut seen = BTreeSet::new();
    for error in syntax_errors {
        let location = locate(error.span().map_or(text.len(), |span| span.start));
        if seen.insert(location.line) {
            errors.push(ConfigError {
                location,
                path: Vec::new(),
                // Only `message`: the error's `Display` quotes the line, which may hold a secret.
                message: format!("not valid TOML: {}", error.message()),
            });
        }
    }
    table(root.get_ref(), &locate)
}

/// Parses the text of a variable as one TOML value; `None` if it is not valid TOML.
pub(super) fn from_variable(text: &str, location: &Location) -> Option<Value> {
    let parsed = DeValue::parse(text.trim()).ok()?;
    Some(value(parsed.get_ref(), &|_| location.clone()))
}

/// Builds the tree of all variables `POINTGATE__SECTION__KEY`.
pub(super) fn from_env(env: &[(String, String)], errors: &mut Vec<ConfigError>) -> Table {
    let mut root = Table::new();
    for (name, text) in env {
        let is_setting = |head: &str| head.eq_ignore_ascii_case(PREFIX);
        if !name.get(..PREFIX.len()).is_some_and(is_setting) {
            continue;
        }
        let path = name[PREFIX.len()..].to_lowercase();
        let path: Vec<&str> = path.split("__").collect();
        if let Err(message) = insert_variable(&mut root, &path, name, text) {
            errors.push(ConfigError {
                location: Location::variable(name),
                path: Vec::new(),
                message,
            });
        }
    }
    root
}

/// Inserts the variable `name` at its path, or returns why it cannot.
fn insert_variable(table: &mut Table, path: &[&str], name: &str, text: &str) -> Result<(), String> {
    let Some((key, rest)) = path.split_first().filter(|(key, _)| !key.is_empty()) else {
        return Err(format!(
            "does not name a setting; use {PREFIX}KEY or {PREFIX}SECTION__KEY"
        ));
    };
    let location = Location::variable(name);
    if rest.is_empty() {
        if let Some(other) = table.get(*key) {
            return Err(format!("sets the same setting as {}", other.location));
        }
        let value = Value::Raw(text.to_owned());
        table.insert((*key).to_owned(), Node { location, value });
        return Ok(());
    }
    let section = table.entry((*key).to_owned()).or_insert_with(|| Node {
        location,
        value: Value::Table(Table::new()),
    });
    match &mut section.value {
        Value::Table(inner) => insert_variable(inner, rest, name, text),
        _ => Err(format!(
            "sets a part of the setting that {} sets as a whole",
            section.location
        )),
    }
}

/// Merges `upper` into `lower`: tables merge key by key, any other value replaces the lower one. A value of another type in the
/// place of a table is an error.
pub(super) fn merge(
    lower: &mut Table,
    upper: Table,
    path: &[String],
    errors: &mut Vec<ConfigError>,
) {
    for (key, node) in upper {
        let Some(below) = lower.get_mut(&key) else {
            lower.insert(key, node);
            continue;
        };
        let path: Vec<String> = path.iter().cloned().chain([key]).collect();
        match (&mut below.value, node) {
            (
                Value::Table(inner),
                Node {
                    location,
                    value: Value::Table(above),
                },
            ) => {
                below.location = location;
                merge(inner, above, &path, errors);
            }
            (Value::Table(_), Node { location, value }) => errors.push(ConfigError {
                location,
                path,
                message: format!("must be a table, not {}", value.kind()),
            }),
            (_, node) => *below = node,
        }
    }
}

/// Clears the table at `path` in `lower` if `upper` has one at `replaced_by`, so that merging replaces it.
pub(super) fn clear_if_given(
    lower: &mut Table,
    path: &[&str],
    upper: &Table,
    replaced_by: &[&str],
) {
    let mut given = Some(upper);
    for key in replaced_by {
        given = given.and_then(|table| match &table.get(*key)?.value {
            Value::Table(table) => Some(table),
            _ => None,
        });
    }
    if given.is_some() {
        clear(lower, path);
    }
}

fn clear(table: &mut Table, path: &[&str]) {
    match path.split_first() {
        None => table.clear(),
        Some((key, rest)) => {
            if let Some(Value::Table(below)) = table.get_mut(*key).map(|node| &mut node.value) {
                clear(below, rest);
            }
        }
    }
}

/// Collects the names of all keys, and all strings that are marked as sample secrets.
pub(super) fn collect_keys_and_samples(
    table: &Table,
    keys: &mut BTreeSet<String>,
    samples: &mut BTreeSet<String>,
) {
    for (key, node) in table {
        keys.insert(key.clone());
        match &node.value {
            Value::Table(inner) => collect_keys_and_samples(inner, keys, samples),
            Value::List(items) => {
                for item in items {
                    if let Value::Table(inner) = &item.value {
                        collect_keys_and_samples(inner, keys, samples);
                    }
                }
            }
            Value::Text(text) if text.starts_with(SAMPLE_PREFIX) => {
                samples.insert(text.clone());
            }
            _ => {}
        }
    }
}

fn table(table: &DeTable<'_>, locate: &impl Fn(usize) -> Location) -> Table {
    let entry = |(key, inner): (&toml::Spanned<_>, &toml::Spanned<_>)| {
        let key: &toml::Spanned<toml::de::DeString<'_>> = key;
        let node = Node {
            location: locate(key.span().start),
            value: value(inner.get_ref(), locate),
        };
        (key.get_ref().to_string(), node)
    };
    table.iter().map(entry).collect()
}

fn value(value: &DeValue<'_>, locate: &impl Fn(usize) -> Location) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Array(items) => {
            let node = |item: &toml::Spanned<DeValue<'_>>| Node {
                location: locate(item.span().start),
                value: self::value(item.get_ref(), locate),
            };
            Value::List(items.iter().map(node).collect())
        }
        DeValue::Table(inner) => Value::Table(table(inner, locate)),
        DeValue::Float(_) => Value::Other("a float"),
        DeValue::Boolean(_) => Value::Other("a boolean"),
        DeValue::Datetime(_) => Value::Other("a date"),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
