//! What a caller may do, which clients and partners have in common.

use std::num::NonZeroU32;

use ipnet::IpNet;

use super::network;
use super::reader::{Invalid, Section};

/// The limits of one caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The networks from which the caller's requests are accepted; empty = all.
    pub from: Vec<IpNet>,
    /// The requests a second that are accepted; `None` = no limit.
    pub rate_per_second: Option<NonZeroU32>,
    /// The most points that one request may give; `None` = no limit.
    pub max_points: Option<i64>,
    /// The most points that all requests of a local day may give together; `None` = no limit.
    pub max_points_per_day: Option<i64>,
}

/// The largest rate.
const MAX_RATE: i64 = 1_000_000;
/// The largest number of points.
const MAX_POINTS: i64 = 1_000_000_000_000;

/// Reads the keys `from`, `rate_per_second`, `max_points` and `max_points_per_day`, all of which are optional.
pub(super) fn limits(section: &mut Section<'_, '_>) -> Option<Limits> {
    let from = from(section);
    let rate = section.optional_integer("rate_per_second", 1..=MAX_RATE);
    let max_points = section.optional_integer("max_points", 0..=MAX_POINTS);
    let max_points_per_day = max_points_per_day(section);
    Some(Limits {
        from: from?,
        rate_per_second: rate?.and_then(NonZeroU32::new),
        max_points: max_points?,
        max_points_per_day: max_points_per_day?,
    })
}

/// Reads `from`; no key = all networks.
pub(super) fn from(section: &mut Section<'_, '_>) -> Option<Vec<IpNet>> {
    match section.optional("from") {
        true => section.list("from", network::EXPECTED, network::parse),
        false => Some(Vec::new()),
    }
}

/// Reads `max_points_per_day`; no key = no limit.
pub(super) fn max_points_per_day(section: &mut Section<'_, '_>) -> Option<Option<i64>> {
    section.optional_integer("max_points_per_day", 0..=MAX_POINTS)
}

/// A method's name, or the beginning of names with `*` at its end.
pub(super) fn pattern(text: &str) -> Result<String, Invalid> {
    let beginning = text.strip_suffix('*').unwrap_or(text);
    let is_good = !text.is_empty() && !beginning.contains(|c: char| c == '*' || c.is_whitespace());
    match is_good {
        true => Ok(text.to_owned()),
        false => Err(Invalid::Malformed),
    }
}

/// The form of a [`pattern`], for error messages.
pub(super) const PATTERN: &str = "the name of a method, or the beginning of names and *";
