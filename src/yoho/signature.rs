//! The request signature `client_secret`, by protocols.md part 1.

use std::collections::BTreeSet;

use super::canonical::{Canonical, Trim};
use crate::config::Secret;
use crate::sign::md5_hex;

/// Signs decoded query and form parameters with the key of their `client_type`: lower-case hex MD5 of the canonical text.
pub fn client_secret<'a>(
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
    key: &Secret,
) -> String {
    let sent = parameters.map(|(name, value)| (name.into(), value.into()));
    let canonical = Canonical::of(sent.collect(), Trim::Java, &BTreeSet::new());
    canonical.map_or_else(String::new, |canonical| digest(&canonical, key))
}

/// Signs a canonical list.
pub fn digest(canonical: &Canonical<'_>, key: &Secret) -> String {
    md5_hex(&[canonical.text(key.reveal()).as_bytes()])
}
