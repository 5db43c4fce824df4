//! The registry of an endpoint: name → method. It refuses a name that is taken, and describes its methods.

use std::borrow::Borrow;
use std::collections::HashMap;

use super::method::{Method, RegisteredMethod};

/// The methods of an endpoint, which work on an `S` and get `D` as the details of their context.
pub struct Registry<S, D> {
    methods: Vec<RegisteredMethod<S, D>>,
    by_name: HashMap<&'static str, usize>,
}

impl<S, D> Default for Registry<S, D> {
    fn default() -> Self {
        Registry {
            methods: Vec::new(),
            by_name: HashMap::new(),
        }
    }
}

/// A name that two methods want.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are two methods of the name {0}")]
pub struct DuplicateName(pub &'static str);

impl<S: Sync + 'static, D: Send + 'static> Registry<S, D> {
    /// Adds a method under its name and its aliases.
    ///
    /// # Errors
    /// Returns a name that is taken; the method is then under none.
    pub fn add<M: Method<Details = D>>(&mut self) -> Result<(), DuplicateName>
    where
        S: Borrow<M::State>,
    {
        let method = RegisteredMethod::new::<M>();
        let names = || std::iter::once(method.name).chain(method.aliases.iter().copied());
        if let Some(taken) = names().find(|name| self.by_name.contains_key(name)) {
            return Err(DuplicateName(taken));
        }
        for name in names() {
            self.by_name.insert(name, self.methods.len());
        }
        self.methods.push(method);
        Ok(())
    }

    /// The method of this name.
    pub fn find(&self, name: &str) -> Option<&RegisteredMethod<S, D>> {
        self.by_name.get(name).map(|&i| &self.methods[i])
    }

    /// All methods, in the order in which they were added.
    pub fn methods(&self) -> &[RegisteredMethod<S, D>] {
        &self.methods
    }
}
