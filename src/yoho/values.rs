//! The kinds of values that YOHO's parameters have.

use jiff::civil::Date;

use crate::gateway::params::{Bad, Raw, Value};

/// A user: a positive 64-bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uid(pub i64);

/// The most coins that one request may move.
const MOST: i64 = 1_000_000_000;

/// Coins that come: 1 to 1,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit(pub i64);

/// Coins that go: -1 to -1,000,000,000 on the wire, positive here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debit(pub i64);

/// One of the points' types from `FIRST` to `LAST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind<const FIRST: i64, const LAST: i64>(pub i64);

/// A day, or none where it is `0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub Option<Date>);

impl Value for Uid {
    const KIND: &'static str = "whole number > 0";

    fn read(raw: &Raw) -> Result<Self, Bad> {
        i64::read(raw).and_then(|uid| (uid > 0).then_some(Uid(uid)).ok_or(Bad::Wrong))
    }
}

impl Value for Credit {
    const KIND: &'static str = "1 to 1000000000";

    fn read(raw: &Raw) -> Result<Self, Bad> {
        i64::read(raw).and_then(|num| {
            (1..=MOST)
                .contains(&num)
                .then_some(Credit(num))
                .ok_or(Bad::Wrong)
        })
    }
}

impl Value for Debit {
    const KIND: &'static str = "-1 to -1000000000";

    fn read(raw: &Raw) -> Result<Self, Bad> {
        i64::read(raw).and_then(|num| {
            (-MOST..=-1)
                .contains(&num)
                .then(|| Debit(-num))
                .ok_or(Bad::Wrong)
        })
    }
}

impl<const FIRST: i64, const LAST: i64> Value for Kind<FIRST, LAST> {
    const KIND: &'static str = match (FIRST, LAST) {
        (17, 18) => "17 or 18",
        (19, 21) => "19, 20 or 21",
        (22, 22) => "22",
        (0, 2) => "0 all, 1 income, 2 expense",
        _ => "a number of a list",
    };

    fn read(raw: &Raw) -> Result<Self, Bad> {
        i64::read(raw).and_then(|kind| {
            (FIRST..=LAST)
                .contains(&kind)
                .then_some(Kind(kind))
                .ok_or(Bad::Wrong)
        })
    }
}

impl Value for Day {
    const KIND: &'static str = "YYYY-MM-DD, or 0";

    fn read(raw: &Raw) -> Result<Self, Bad> {
        match raw {
            Raw::Text(text) if text == "0" => Ok(Day(None)),
            Raw::Text(text) if text.len() == 10 => text
                .parse()
                .map(|day| Day(Some(day)))
                .map_err(|_| Bad::Wrong),
            Raw::Text(_) | Raw::Absent | Raw::Other => Err(Bad::Wrong),
        }
    }
}
