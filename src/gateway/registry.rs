//! The registry: name → method. It refuses a name that is taken, and describes what it holds.

use std::collections::HashMap;

use super::method::{Method, RegisteredMethod};

/// All methods of a dialect, whose callers are `C`s.
pub struct Registry<C> {
    entries: Vec<RegisteredMethod<C>>,
    by_name: HashMap<&'static str, usize>,
}

impl<C> Default for Registry<C> {
    fn default() -> Self {
        Registry {
            entries: Vec::new(),
            by_name: HashMap::new(),
        }
    }
}

/// A name that two methods want.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are two methods of the name {0}")]
pub struct DuplicateName(pub &'static str);

impl<C: Send + 'static> Registry<C> {
    /// Adds a method under its name and its aliases.
    ///
    /// # Errors
    /// A name that is taken; the method is then under none.
    pub fn add<M: Method<Caller = C>>(&mut self, method: M) -> Result<(), DuplicateName> {
        let entry = RegisteredMethod::new(method);
        let names = || std::iter::once(entry.name).chain(entry.aliases.iter().copied());
        if let Some(taken) = names().find(|name| self.by_name.contains_key(name)) {
            return Err(DuplicateName(taken));
        }
        for name in names() {
            self.by_name.insert(name, self.entries.len());
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The method of this name.
    pub fn find(&self, name: &str) -> Option<&RegisteredMethod<C>> {
        self.by_name.get(name).map(|&i| &self.entries[i])
    }

    /// All of them, in the order in which they were added.
    pub fn entries(&self) -> &[RegisteredMethod<C>] {
        &self.entries
    }
}
