//! A client type: the keys that sign its requests, and what it may do.

use std::sync::Arc;

use super::canonical::Canonical;
use super::signature::digest;
use crate::config::{self, Secret};
use crate::gateway::permissions::Permissions;
use crate::points::permissions;
use crate::sign::{key_name, same};

/// A client type with its keys and permissions.
#[derive(Debug)]
pub struct Client {
    key: Secret,
    previous_key: Option<Secret>,
    /// Whether it may send parameters as JSON, which the key does not sign.
    pub accepts_json: bool,
    /// Its methods, networks, rate and points.
    pub permissions: Arc<Permissions>,
}

impl Client {
    /// Takes a client of the configuration, by its name.
    pub fn of((name, config): (&String, &config::Client)) -> (String, Client) {
        let client = Client {
            key: config.key.clone(),
            previous_key: config.previous_key.clone(),
            accepts_json: config.accepts_json,
            permissions: permissions(&config.allow, &config.limits),
        };
        (name.clone(), client)
    }

    /// The name of the key that made a signature; `None` if neither did.
    pub fn key_of(&self, signed: &Canonical<'_>, client_secret: &str) -> Option<&'static str> {
        let given = client_secret.to_ascii_lowercase();
        let made = |key: &Secret| same(&digest(signed, key), &given);
        key_name(&self.key, self.previous_key.as_ref(), made)
    }
}
