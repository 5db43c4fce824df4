//! Kinds of parameter values that only YOHO's methods have.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use jiff::civil::{Date, Time};

use crate::gateway::parameters::Raw;
use crate::gateway::value::{Invalid, Text, Value};

/// The largest number of coins in one request.
const MAX_COINS: i64 = 1_000_000_000;

/// Coins to spend: -1 to -1,000,000,000 on the wire, positive here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debit(pub i64);

/// An order or another thing that coins stand for: a text of 1 to 128 characters, or the digits of a whole number. `0` is the document's
/// default and means none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(pub String);

/// A day; `0` on the wire means no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayBound(pub Option<Date>);

impl Value for Debit {
    fn kind() -> Cow<'static, str> {
        "-1 to -1000000000".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        i64::read(raw).and_then(|num| {
            (-MAX_COINS..=-1)
                .contains(&num)
                .then(|| Debit(-num))
                .ok_or(Invalid::Wrong)
        })
    }
}

impl Value for Reference {
    fn kind() -> Cow<'static, str> {
        Text::<128>::kind()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        // A number with a fraction or an exponent is no text: nobody can say which digits another client would write.
        let Text(text) = Text::<128>::read(raw)?;
        match text.trim() {
            "" | "0" => Err(Invalid::Wrong),
            _ => Ok(Reference(text)),
        }
    }
}

impl Value for DayBound {
    fn kind() -> Cow<'static, str> {
        "YYYY-MM-DD, with or without a time, or 0".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        match raw {
            Raw::Text(text) if text.trim() == "0" => Ok(DayBound(None)),
            Raw::Text(text) => {
                let day = day(text.trim()).ok_or(Invalid::Wrong)?;
                Ok(DayBound(Some(day)))
            }
            Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => Err(Invalid::Wrong),
        }
    }

    fn write(&self) -> Option<String> {
        let day = self.0.map(|day| day.to_string());
        Some(day.unwrap_or_else(|| "0".to_owned()))
    }
}

/// Reads `2016-05-18`, `2016-5-18`, or the day of `2016-05-18 00:00:00`, as the original does.
fn day(text: &str) -> Option<Date> {
    let (day, time) = text
        .split_once(' ')
        .map_or((text, None), |(day, time)| (day, Some(time)));
    let is_time = |time: &str| time.len() == 8 && time.parse::<Time>().is_ok();
    if time.is_some_and(|time| !is_time(time)) {
        return None;
    }
    let mut parts = day.split('-');
    let mut next = |digits: RangeInclusive<usize>| {
        let part = parts.next()?;
        let is_number = digits.contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit());
        is_number.then(|| part.parse::<i16>().ok())?
    };
    let (year, month, day) = (next(4..=4)?, next(1..=2)?, next(1..=2)?);
    let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    parts.next().is_none().then_some(date)
}
