//! No circles: no file of `src` names another one that leads back to it.
//!
//! A module and its own submodules are one thing in this respect: a module may use what it is made of, and that may use the module.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::paths;
use super::source::Source;

/// A module, as the names behind `crate::`.
type Module = Vec<String>;

/// Circles between the files of `src`, each as one finding.
pub fn circles(sources: &[Source]) -> Vec<String> {
    let modules: BTreeMap<Module, &Source> = sources
        .iter()
        .filter(|it| !it.is_test() && it.path != "src/main.rs")
        .filter_map(|it| Some((module(it)?, it)))
        .collect();
    let names: BTreeSet<Module> = modules.keys().cloned().collect();
    let arrows: BTreeMap<&Module, BTreeSet<Module>> = modules
        .iter()
        .map(|(module, source)| (module, named(module, source, &names)))
        .collect();
    let reach = |from: &Module| {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<Module> = arrows[from].iter().cloned().collect();
        while let Some(module) = todo.pop() {
            if seen.insert(module.clone()) {
                todo.extend(arrows[&module].iter().cloned());
            }
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = modules
        .keys()
        .map(|module| (module, reach(module)))
        .collect();
    let mut found = BTreeSet::new();
    for (module, far) in &reached {
        if far.contains(*module) {
            let circle = far.iter().filter(|it| reached[it].contains(*module));
            found.insert(circle.map(|it| it.join("::")).collect::<Vec<_>>());
        }
    }
    let found = found.into_iter();
    found
        .map(|circle| format!("a circle: {}", circle.join(", ")))
        .collect()
}

/// The module in a file of `src`.
pub fn module(source: &Source) -> Option<Module> {
    let path = source.path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    // A stand-in for a part that a feature leaves out: the same module as the part.
    let path = path.strip_suffix("/absent").unwrap_or(path);
    let names = path.split('/').filter(|name| *name != "lib");
    Some(names.map(str::to_owned).collect())
}

/// The modules that a file names, except its own submodules.
fn named(own: &Module, source: &Source, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let lines = source.production_code().map(|(_, code)| code);
    let source = Source {
        path: source.path.clone(),
        text: lines.collect::<Vec<_>>().join("\n"),
    };
    let mut named = BTreeSet::new();
    for (_, path) in paths(&source, &["crate", "super"]) {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let base = if ups == 0 { 0 } else { own.len() - ups };
        let rest = &path[ups.max(1)..];
        let mut target: Module = own[..base].iter().chain(rest).cloned().collect();
        while !target.is_empty() && !modules.contains(&target) {
            target.pop();
        }
        if !target.is_empty() && !target.starts_with(own) {
            named.insert(target);
        }
    }
    named
}
