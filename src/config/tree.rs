//! The layers of the configuration as trees whose every value remembers where it stands, and how one is laid over another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::errors::{ConfigError, Layer, Origin};

/// The prefix of the environment variables that are settings.
pub(super) const PREFIX: &str = "POINTGATE__";

/// The mark of the built-in secrets that are only for trying out.
const SAMPLE: &str = "sample-";

/// A table of settings.
pub(super) type Table = BTreeMap<String, Node>;

/// A value and its place. No `Debug`: it may be a secret.
#[derive(Clone)]
pub(super) struct Node {
    /// Where it stands.
    pub origin: Origin,
    /// What stands there.
    pub value: Value,
}

/// A value before anyone has said what it ought to be.
#[derive(Clone)]
pub(super) enum Value {
    /// A TOML string.
    Text(String),
    /// A variable's text: a string, or TOML where something else is expected.
    Raw(String),
    /// A TOML integer; `None` where it does not fit 64 bits.
    Integer(Option<i64>),
    /// A TOML array, or the words of a variable.
    List(Vec<Node>),
    /// A TOML table.
    Table(Table),
    /// What no setting is so far, by its name.
    Other(&'static str),
}

impl Value {
    /// What it is, for a sentence: `an integer`.
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

/// Reads TOML as far as it goes; broken lines become mistakes, one a line.
pub(super) fn from_toml(
    text: &str,
    layer: Layer,
    name: &str,
    mistakes: &mut Vec<ConfigError>,
) -> Table {
    let name: Arc<str> = name.into();
    let place = |at: usize| Origin {
        layer,
        name: name.clone(),
        line: line_of(text, at),
    };
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut seen = BTreeSet::new();
    for error in errors {
        let origin = place(error.span().map_or(text.len(), |span| span.start));
        if seen.insert(origin.line) {
            // `message` alone: the error's own Display quotes the line, which may hold a secret.
            let text = format!("not valid TOML: {}", error.message());
            let path = Vec::new();
            mistakes.push(ConfigError { origin, path, text });
        }
    }
    table(root.get_ref(), &place)
}

/// Reads one TOML value as it stands in a variable; `None` where it is none.
pub(super) fn from_variable(text: &str, origin: &Origin) -> Option<Value> {
    let parsed = DeValue::parse(text.trim()).ok()?;
    Some(value(parsed.get_ref(), &|_| origin.clone()))
}

/// The tree of all variables `POINTGATE__SECTION__KEY`.
pub(super) fn from_env(env: &[(String, String)], mistakes: &mut Vec<ConfigError>) -> Table {
    let mut root = Table::new();
    for (name, text) in env {
        let is_setting = |head: &str| head.eq_ignore_ascii_case(PREFIX);
        if !name.get(..PREFIX.len()).is_some_and(is_setting) {
            continue;
        }
        let steps = name[PREFIX.len()..].to_lowercase();
        let steps: Vec<&str> = steps.split("__").collect();
        if let Err(text) = plant(&mut root, &steps, name, text) {
            let (origin, path) = (Origin::variable(name), Vec::new());
            mistakes.push(ConfigError { origin, path, text });
        }
    }
    root
}

/// Puts one variable at its place in the tree, or says why it has none.
fn plant(table: &mut Table, steps: &[&str], name: &str, text: &str) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first().filter(|(step, _)| !step.is_empty()) else {
        return Err(format!(
            "names no setting; write {PREFIX}KEY or {PREFIX}SECTION__KEY"
        ));
    };
    let origin = Origin::variable(name);
    if rest.is_empty() {
        if let Some(other) = table.get(*step) {
            return Err(format!("means the same setting as {}", other.origin));
        }
        let value = Value::Raw(text.to_owned());
        table.insert((*step).to_owned(), Node { origin, value });
        return Ok(());
    }
    let section = table.entry((*step).to_owned()).or_insert_with(|| Node {
        origin,
        value: Value::Table(Table::new()),
    });
    match &mut section.value {
        Value::Table(inner) => plant(inner, rest, name, text),
        _ => Err(format!("lies within the setting {}", section.origin)),
    }
}

/// Lays `upper` over `lower`: tables merge, everything else replaces. A table cannot be replaced by what is none.
pub(super) fn lay_over(
    lower: &mut Table,
    upper: Table,
    path: &[String],
    mistakes: &mut Vec<ConfigError>,
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
                    origin,
                    value: Value::Table(above),
                },
            ) => {
                below.origin = origin;
                lay_over(inner, above, &path, mistakes);
            }
            (Value::Table(_), Node { origin, value }) => {
                let text = format!("must be a table, not {}", value.kind());
                mistakes.push(ConfigError { origin, path, text });
            }
            (_, node) => *below = node,
        }
    }
}

/// Empties the table at `path` in `lower` if `upper` has that table too.
pub(super) fn make_way(lower: &mut Table, upper: &Table, path: &[&str]) {
    let Some((step, rest)) = path.split_first() else {
        lower.clear();
        return;
    };
    if let (Some(below), Some(above)) = (lower.get_mut(*step), upper.get(*step))
        && let (Value::Table(below), Value::Table(above)) = (&mut below.value, &above.value)
    {
        make_way(below, above, rest);
    }
}

/// Collects all names of keys, and all strings that are marked as sample secrets.
pub(super) fn survey(table: &Table, names: &mut BTreeSet<String>, samples: &mut BTreeSet<String>) {
    for (key, node) in table {
        names.insert(key.clone());
        match &node.value {
            Value::Table(inner) => survey(inner, names, samples),
            Value::List(items) => {
                for item in items {
                    if let Value::Table(inner) = &item.value {
                        survey(inner, names, samples);
                    }
                }
            }
            Value::Text(text) if text.starts_with(SAMPLE) => {
                samples.insert(text.clone());
            }
            _ => {}
        }
    }
}

fn table(table: &DeTable<'_>, place: &impl Fn(usize) -> Origin) -> Table {
    let entry = |(key, inner): (&toml::Spanned<_>, &toml::Spanned<_>)| {
        let key: &toml::Spanned<toml::de::DeString<'_>> = key;
        let node = Node {
            origin: place(key.span().start),
            value: value(inner.get_ref(), place),
        };
        (key.get_ref().to_string(), node)
    };
    table.iter().map(entry).collect()
}

fn value(value: &DeValue<'_>, place: &impl Fn(usize) -> Origin) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Array(items) => {
            let node = |item: &toml::Spanned<DeValue<'_>>| Node {
                origin: place(item.span().start),
                value: self::value(item.get_ref(), place),
            };
            Value::List(items.iter().map(node).collect())
        }
        DeValue::Table(inner) => Value::Table(table(inner, place)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Boolean(_) => Value::Other("true or false"),
        DeValue::Datetime(_) => Value::Other("a date"),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
