//! Kinds of parameter values that only the methods of member status have.

use std::borrow::Cow;

use jiff::civil;

use crate::gateway::parameters::Raw;
use crate::gateway::value::{Invalid, Text, Value};

/// The user_key of a member: the name on the community and the health platform.
pub type UserKey = Text<64>;

/// The sender's name for the cause of a change.
pub type ChangeType = Text<128>;

/// The object of a change, such as a post, in the sender's own words.
pub type ObjectId = Text<64>;

/// A calendar day in the company's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub civil::Date);

/// A public account that members can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicAccount(pub &'static str);

/// A sex as it is stored: 0 unknown, 1 male, 2 female. The wire also has English and Chinese words for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sex(pub i64);

/// A birthday in one of the two forms of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birthday {
    /// `1990-01-31`.
    Day(civil::Date),
    /// Seconds since 1970 UTC.
    At(i64),
}

fn text<'a>(raw: &'a Raw<'_>) -> Result<&'a str, Invalid> {
    match raw {
        Raw::Text(text) => Ok(text),
        Raw::Decimal(_) | Raw::Bool(_) | Raw::Absent | Raw::Other => Err(Invalid::Wrong),
    }
}

impl Value for Day {
    fn kind() -> Cow<'static, str> {
        "YYYY-MM-DD".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
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

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        match text(raw)? {
            "shop" => Ok(PublicAccount("shop")),
            "service" => Ok(PublicAccount("service")),
            _ => Err(Invalid::Wrong),
        }
    }
}

impl Value for Sex {
    fn kind() -> Cow<'static, str> {
        "0 unknown, 1 male, 2 female".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
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
        "YYYY-MM-DD or seconds".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        match Day::read(raw) {
            Ok(Day(day)) => Ok(Birthday::Day(day)),
            Err(_) => i64::read(raw).map(Birthday::At),
        }
    }
}
