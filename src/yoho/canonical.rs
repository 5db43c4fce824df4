//! The canonical list of a request's query and form parameters. `client_secret` is verified over it, and the method reads its
//! parameters from it alone: what is signed is what is read.
//!
//! The signed text is `name=value` joined by `&`, without any quoting. A request whose text could also be that of parameters with
//! another meaning is refused, so that one signature has one reading.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::gateway::parameters::{Pair, Parameters};

/// Query and form parameters that are not signed.
const UNSIGNED: [&str; 4] = ["client_secret", "q", "debug_data", "/api"];
/// The name under which the key is signed; a parameter of this name is dropped.
const PRIVATE_KEY: &str = "private_key";

/// The characters that a client trims before it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim {
    /// Every character up to U+0020, as Java's `trim` does [seen].
    Java,
    /// Unicode's white space as well, as newer clients do, and the byte order mark that JavaScript counts as such.
    Unicode,
}

impl Trim {
    /// Whether the client trims a character.
    pub fn cuts(self, c: char) -> bool {
        c <= ' ' || (self == Trim::Unicode && (c.is_whitespace() || c == '\u{feff}'))
    }
}

/// Parameters in ascending order of their names, each name once: the first value counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical<'a>(Vec<Trimmed<'a>>);

/// A parameter whose name is trimmed at its start, and whose value at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trimmed<'a> {
    sent_name: Cow<'a, str>,
    /// The length of the white space before the name (bytes).
    blank: usize,
    value: Cow<'a, str>,
}

impl<'a> Trimmed<'a> {
    fn of((sent_name, value): Pair<'a>, trim: Trim) -> Trimmed<'a> {
        let cuts = |c| trim.cuts(c);
        let length = value.trim_end_matches(cuts).len();
        Trimmed {
            blank: sent_name.len() - sent_name.trim_start_matches(cuts).len(),
            value: part(value, 0..length),
            sent_name,
        }
    }

    fn name(&self) -> &str {
        &self.sent_name[self.blank..]
    }

    fn pair(&self) -> (&str, &str) {
        (self.name(), &self.value)
    }

    fn is_signed(&self) -> bool {
        is_signed(self.name())
    }
}

impl<'a> Canonical<'a> {
    /// Canonicalises the received parameters: trims each pair, the name at its start and the value at its end, and keeps the first of
    /// equal names. Returns `None` if a request with another meaning could have the same text: if a name holds `&` or `=`, if two
    /// names are equal only once trimmed, or if a value contains what could be a pair of its own (see [`splits`]). `known` are the
    /// names that the dialect and the methods read.
    pub fn of(sent: Vec<Pair<'a>>, trim: Trim, known: &BTreeSet<&str>) -> Option<Canonical<'a>> {
        let sent = sent.into_iter();
        let mut pairs: Vec<_> = sent.map(|pair| Trimmed::of(pair, trim)).collect();
        if pairs.iter().any(|pair| pair.name().contains(['&', '='])) {
            return None;
        }
        // The sort is stable, so the first of equal names stays first.
        pairs.sort_by(|a, b| a.name().cmp(b.name()));
        let is_equal = |a: &Trimmed<'_>, b: &Trimmed<'_>| a.name() == b.name();
        let mut neighbours = pairs.windows(2);
        if neighbours.any(|two| is_equal(&two[0], &two[1]) && two[0].sent_name != two[1].sent_name)
        {
            return None;
        }
        pairs.dedup_by(|later, first| is_equal(later, first));
        // Only a signed name stands in the text, and so bounds what fits in before it.
        let next = |at: usize| {
            let mut later = pairs[at + 1..].iter();
            later.find(|pair| pair.is_signed()).map(Trimmed::name)
        };
        let mut all = pairs.iter().enumerate();
        let ambiguous = all.any(|(at, pair)| {
            pair.value.contains('&') && splits(pair.name(), &pair.value, next(at), known)
        });
        (!ambiguous).then_some(Canonical(pairs))
    }

    /// The value of a name; `None` if it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.0.binary_search_by(|pair| pair.name().cmp(name));
        let Trimmed { value, .. } = &self.0[place.ok()?];
        (!value.is_empty()).then_some(value)
    }

    /// The signed text, with the key in its place.
    pub fn text(&self, key: &str) -> String {
        let signed = || self.0.iter().filter(|pair| pair.is_signed());
        let before = |pair: &&Trimmed<'_>| pair.name() < PRIVATE_KEY;
        let pairs = (signed().take_while(before).map(Trimmed::pair))
            .chain([(PRIVATE_KEY, key)])
            .chain(signed().skip_while(before).map(Trimmed::pair));
        let mut text = String::with_capacity(256);
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// The parameters that a method reads.
    pub fn into_parameters(self) -> Parameters<'a> {
        let pairs = self.0.into_iter();
        let trimmed = pairs.map(|pair| {
            let length = pair.sent_name.len();
            (part(pair.sent_name, pair.blank..length), pair.value)
        });
        trimmed.collect()
    }
}

/// A part of a text, borrowed if the text is.
fn part(text: Cow<'_, str>, range: Range<usize>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
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
