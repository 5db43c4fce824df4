//! A client type: the keys that sign its requests, and what it may do.

use std::sync::Arc;

use super::NAME;
use super::canonical::Canonical;
use super::signature::digest;
use crate::config::{self, Secret};
use crate::gateway::keys::{CallerKeys, KeyRegister};
use crate::gateway::permissions::Permissions;
use crate::points::permissions;
use crate::sign::same;

/// A client type with its keys and permissions.
#[derive(Debug)]
pub struct Client {
    keys: CallerKeys<Secret>,
    /// Whether it may send parameters as JSON, which the key does not sign.
    pub accepts_json: bool,
    /// Its methods, networks, rate and points.
    pub permissions: Arc<Permissions>,
}

impl Client {
    /// Takes a client of the configuration.
    pub fn new(name: &str, config: &config::Client, register: &KeyRegister) -> Client {
        let keys = [&config.key].into_iter().chain(&config.previous_key);
        Client {
            keys: register.keys(NAME, name, keys.cloned(), Secret::bytes),
            accepts_json: config.accepts_json,
            permissions: permissions(&config.allow, &config.limits),
        }
    }

    /// The name of the key that made a signature, and counts its use at `now` (ms since 1970 UTC); `None` if neither did.
    pub fn key_of(
        &self,
        signed: &Canonical<'_>,
        client_secret: &str,
        now: i64,
    ) -> Option<&'static str> {
        let given = client_secret.to_ascii_lowercase();
        self.keys
            .find(now, |key| same(&digest(signed, key), &given))
    }
}
