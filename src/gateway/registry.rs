//! The registry: name → method. It refuses a name that is taken, and describes what it holds.

use std::collections::HashMap;

use super::method::{Entry, Method};

/// All methods of a dialect.
#[derive(Default)]
pub struct Registry {
    entries: Vec<Entry>,
    by_name: HashMap<&'static str, usize>,
}

/// A name that two methods want.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are two methods of the name {0}")]
pub struct Taken(pub &'static str);

impl Registry {
    /// Adds a method under its name and its aliases.
    ///
    /// # Errors
    /// A name that is taken; the method is then under none.
    pub fn add<M: Method>(&mut self, method: M) -> Result<(), Taken> {
        let entry = Entry::new(method);
        let names = || std::iter::once(entry.name).chain(entry.aliases.iter().copied());
        if let Some(taken) = names().find(|name| self.by_name.contains_key(name)) {
            return Err(Taken(taken));
        }
        for name in names() {
            self.by_name.insert(name, self.entries.len());
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The method of this name.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(|&i| &self.entries[i])
    }

    /// All of them, in the order in which they were added.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
