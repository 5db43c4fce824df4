//! The canonical list of a request's query and form parameters. `client_secret` is verified over it, and the method reads its
//! parameters from it alone: what is signed is what is read.
//!
//! The signed text is `name=value` joined by `&`, without any quoting. A request whose text could also be that of parameters with
//! another meaning is refused, so that one signature has one reading.

use std::collections::BTreeSet;

use crate::gateway::parameters::{Parameters, Raw};

/// Query and form parameters that are not signed.
const UNSIGNED: [&str; 4] = ["client_secret", "q", "debug_data", "/api"];
/// The name under which the key is signed; a parameter of this name is dropped.
const PRIVATE_KEY: &str = "private_key";

/// The characters that a client trims before it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim {
    /// Every character up to U+0020, as Java's `trim` does [seen].
    Java,
    /// Unicode's white space as well, as newer clients do.
    Unicode,
}

impl Trim {
    fn cuts(self, c: char) -> bool {
        c <= ' ' || (self == Trim::Unicode && c.is_whitespace())
    }
}

/// Parameters in ascending order of their names, each name once: the first value counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical(Vec<(String, String)>);

impl Canonical {
    /// Canonicalises the received parameters: trims each pair, the name at its start and the value at its end, and keeps the first of
    /// equal names. Returns `None` if a request with another meaning could have the same text: if a name holds `&` or `=`, if two
    /// names are equal only once trimmed, or if a value contains what could be a pair of its own (see [`splits`]). `known` are the
    /// names that the dialect and the methods read.
    pub fn of(
        sent: impl Iterator<Item = (String, String)>,
        trim: Trim,
        known: &BTreeSet<&str>,
    ) -> Option<Canonical> {
        let mut pairs = Vec::with_capacity(16);
        for (mut name, mut value) in sent {
            value.truncate(value.trim_end_matches(|c| trim.cuts(c)).len());
            let cut = name.len() - name.trim_start_matches(|c| trim.cuts(c)).len();
            let cut: String = name.drain(..cut).collect();
            if name.contains(['&', '=']) {
                return None;
            }
            pairs.push((name, value, cut));
        }
        // The sort is stable, so the first of equal names stays first.
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        if pairs
            .windows(2)
            .any(|two| two[0].0 == two[1].0 && two[0].2 != two[1].2)
        {
            return None;
        }
        pairs.dedup_by(|later, first| later.0 == first.0);
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(name, value, _)| (name, value))
            .collect();
        // Only a signed name stands in the text, and so bounds what fits in before it.
        let next = |at: usize| {
            let mut later = pairs[at + 1..].iter().map(|(name, _)| name.as_str());
            later.find(|name| is_signed(name))
        };
        let mut all = pairs.iter().enumerate();
        let ambiguous = all.any(|(at, (name, value))| splits(name, value, next(at), known));
        (!ambiguous).then_some(Canonical(pairs))
    }

    /// The value of a name; `None` if it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self
            .0
            .binary_search_by(|(known, _)| known.as_str().cmp(name));
        let (_, value) = &self.0[place.ok()?];
        (!value.is_empty()).then_some(value)
    }

    /// The signed text, with the key in its place.
    pub fn text(&self, key: &str) -> String {
        let mut text = String::with_capacity(256);
        let mut push = |name: &str, value: &str| {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        };
        let pairs = || self.0.iter().filter(|(name, _)| is_signed(name));
        let (before, after) = (
            pairs().take_while(|(name, _)| name.as_str() < PRIVATE_KEY),
            pairs().skip_while(|(name, _)| name.as_str() < PRIVATE_KEY),
        );
        before.for_each(|(name, value)| push(name, value));
        push(PRIVATE_KEY, key);
        after.for_each(|(name, value)| push(name, value));
        text
    }

    /// The parameters that a method reads.
    pub fn into_parameters(self) -> Parameters {
        let mut parameters = Parameters::default();
        for (name, value) in self.0 {
            parameters.push(name, Raw::Text(value));
        }
        parameters
    }
}

/// Whether a parameter stands in the signed text under its own value.
fn is_signed(name: &str) -> bool {
    !UNSIGNED.contains(&name) && name != PRIVATE_KEY
}

/// Whether the value of `own` holds `&NAME=` so that a part of it may be another parameter: because NAME is one that is read, or
/// because `own` is read and NAME would stand between it and the `next` name, where the signed text has it.
fn splits(own: &str, value: &str, next: Option<&str>, known: &BTreeSet<&str>) -> bool {
    let in_order = |name: &str| own < name && next.is_none_or(|next| name < next);
    value.match_indices('&').any(|(at, _)| {
        let name = value[at + 1..].split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| known.contains(name) || (known.contains(own) && in_order(name)))
    })
}

#[cfg(test)]
mod tests;
