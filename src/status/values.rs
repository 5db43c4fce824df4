//! Kinds of parameters that only these methods have.

use std::borrow::Cow;

use jiff::civil;

use crate::gateway::parameters::Raw;
use crate::gateway::value::{Invalid, Text, Value};

/// A member's name on the community and the health platform.
pub type UserKey = Text<64>;

/// The sender's name for the cause of a change.
pub type ChangeType = Text<128>;

/// The sender's object that a change belongs to, such as a post.
pub type ObjectId = Text<64>;

/// A calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub civil::Date);

/// One of the public accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicAccount(pub &'static str);

/// 0 unknown, 1 male, 2 female, as a number or as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sex(pub i64);

/// A day, or seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birthday {
    /// `1990-01-31`.
    Day(civil::Date),
    /// Seconds since 1970 UTC.
    At(i64),
}

fn text(raw: &Raw) -> Result<&str, Invalid> {
    match raw {
        Raw::Text(text) => Ok(text),
        Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => Err(Invalid::Wrong),
    }
}

impl Value for Day {
    fn kind() -> Cow<'static, str> {
        "YYYY-MM-DD".into()
    }

    fn read(raw: &Raw) -> Result<Self, Invalid> {
        match text(raw)? {
            day if day.len() == 10 => day.parse().map(Day).map_err(|_| Invalid::Wrong),
            _ => Err(Invalid::Wrong),
        }
    }
}

impl Value for PublicAccount {
    fn kind() -> Cow<'static, str> {
        "shop or service".into()
    }

    fn read(raw: &Raw) -> Result<Self, Invalid> {
        match text(raw)? {
            "shop" => Ok(PublicAccount("shop")),
            "service" => Ok(PublicAccount("service")),
            _ => Err(Invalid::Wrong),
        }
    }
}

impl Value for Sex {
    fn kind() -> Cow<'static, str> {
        "0, 1 male, 2 female".into()
    }

    fn read(raw: &Raw) -> Result<Self, Invalid> {
        match text(raw)? {
            "0" | "保密" => Ok(Sex(0)),
            "1" | "male" | "男" => Ok(Sex(1)),
            "2" | "female" | "女" => Ok(Sex(2)),
            _ => Err(Invalid::Wrong),
        }
    }
}

impl Value for Birthday {
    fn kind() -> Cow<'static, str> {
        "YYYY-MM-DD, or seconds".into()
    }

    fn read(raw: &Raw) -> Result<Self, Invalid> {
        match Day::read(raw) {
            Ok(Day(day)) => Ok(Birthday::Day(day)),
            Err(_) => i64::read(raw).map(Birthday::At),
        }
    }
}
