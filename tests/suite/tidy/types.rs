//! No two public types of one name in the crate, so that a name means one thing wherever it is read.

use std::collections::{BTreeMap, BTreeSet};

use super::cycles::module;
use super::source::Source;

/// Every method has its own: they are named by convention and never leave their files.
const CONVENTIONAL: [&str; 2] = ["Params", "Reply"];

/// Public types whose name another public type of `src` has too. Sections of the configuration may be called as what they configure.
pub fn same_names(sources: &[Source]) -> Vec<String> {
    let mut types: BTreeMap<String, BTreeMap<Vec<String>, String>> = BTreeMap::new();
    for source in sources.iter().filter(|it| it.part() != Some("config")) {
        let Some(module) = module(source) else {
            continue;
        };
        for (line, code) in source.code() {
            if let Some(name) = public_type(code)
                && !CONVENTIONAL.contains(&name)
            {
                let of_name = types.entry(name.to_owned()).or_default();
                let why = format!("another public type is called {name}");
                of_name.insert(module.clone(), source.finding(line, &why));
            }
        }
    }
    let same = types.into_values().filter(|it| it.len() > 1);
    let found: BTreeSet<String> = same.flat_map(BTreeMap::into_values).collect();
    found.into_iter().collect()
}

/// The name of the type that a line declares for other modules.
fn public_type(code: &str) -> Option<&str> {
    let rest = code.trim_start().strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')')?.1,
        None => rest,
    };
    let mut words = rest.strip_prefix(' ')?.split(' ');
    let kind = words.next()?;
    let name = words.next()?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
    let is_type = ["struct", "enum", "trait", "type", "union"].contains(&kind);
    is_type.then(|| &name[..end.unwrap_or(name.len())])
}
