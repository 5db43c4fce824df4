//! The registry of an endpoint's methods, by name.

use std::borrow::Borrow;
use std::collections::HashMap;

use super::method::{Method, RegisteredMethod};

/// The methods of an endpoint. They work on an `S`, and their context has the details `D`. Names and aliases are unique.
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

/// Two methods have the same name or alias.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two methods have the name {0}")]
pub struct DuplicateName(pub &'static str);

impl<S: Sync + 'static, D: Send + 'static> Registry<S, D> {
    /// Adds a method under its name and its aliases.
    ///
    /// # Errors
    /// Returns the first of its names that another method has; the method is then not added.
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

    /// The method of this name or alias.
    pub fn find(&self, name: &str) -> Option<&RegisteredMethod<S, D>> {
        self.by_name.get(name).map(|&i| &self.methods[i])
    }

    /// All methods, in the order in which they were added.
    pub fn methods(&self) -> &[RegisteredMethod<S, D>] {
        &self.methods
    }
}
