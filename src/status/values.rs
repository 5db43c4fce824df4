//! Kinds of parameter values that only the methods of member status have.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use jiff::civil;

use crate::gateway::parameters::Raw;
use crate::gateway::value::{Invalid, OrEmpty, Text, Value, is_storable};

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

/// A text of a profile, of 1 to `MAX` characters, which may have several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileText<const MAX: usize>(pub String);

/// The text of a value that may be empty.
pub fn or_empty<T>(value: OrEmpty<T>, text: impl FnOnce(T) -> String) -> String {
    match value {
        OrEmpty::Given(value) => text(value),
        OrEmpty::Empty => String::new(),
    }
}

/// A birthday in one of the forms of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birthday {
    /// `1990-01-31` or `19900131`.
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

/// Reads a calendar day: `1990-01-31`, also with slashes, without leading zeros, with a time of midnight behind it, or as `19900131`.
fn date(text: &str) -> Option<civil::Date> {
    let text = text.trim();
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return date_of(&text[..4], &text[4..6], &text[6..]);
    }
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let separator = if day.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = day.split(separator).collect();
    match parts[..] {
        [year, month, day] if year.len() == 4 && is_midnight(time) => date_of(year, month, day),
        _ => None,
    }
}

fn date_of(year: &str, month: &str, day: &str) -> Option<civil::Date> {
    let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = month.len() <= 2 && day.len() <= 2;
    if !is_short || ![year, month, day].iter().all(is_number) {
        return None;
    }
    civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// Whether a time of day is midnight, in whatever zone: the day before it is then the day that is meant.
fn is_midnight(time: &str) -> bool {
    let rest = time.strip_prefix("00:00");
    let rest = rest.map(|rest| rest.strip_prefix(":00").unwrap_or(rest));
    let rest = rest.map(|rest| match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches('0'),
        None => rest,
    });
    let is_offset = |rest: &str| {
        let digits = rest.strip_prefix(['+', '-']).unwrap_or_default();
        matches!(digits.len(), 4 | 5) && digits.bytes().all(|it| it.is_ascii_digit() || it == b':')
    };
    rest.is_some_and(|rest| rest.is_empty() || rest == "Z" || is_offset(rest))
}

impl Value for Day {
    fn kind() -> Cow<'static, str> {
        "YYYY-MM-DD".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        date(text(raw)?).map(Day).ok_or(Invalid::Wrong)
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
        if let Some(number @ 0..=2) = raw.whole_number() {
            return Ok(Sex(number));
        }
        match text(raw)?.trim().to_ascii_lowercase().as_str() {
            "保密" => Ok(Sex(0)),
            "male" | "男" => Ok(Sex(1)),
            "female" | "女" => Ok(Sex(2)),
            _ => Err(Invalid::Wrong),
        }
    }
}

/// The years of birthdays.
const BIRTH_YEARS: RangeInclusive<i16> = 1900..=2099;
/// The seconds of those years.
const BIRTH_SECONDS: RangeInclusive<i64> = -2_208_988_800..=4_102_444_799;
/// Below this number of seconds, a birthday is a whole quarter of an hour, as midnight is in every time zone. Other numbers are
/// no seconds, but a year or a day in digits.
const SMALL: u64 = 100_000_000;
const QUARTER: i64 = 900;

impl Value for Birthday {
    fn kind() -> Cow<'static, str> {
        "YYYY-MM-DD, YYYYMMDD or seconds since 1970".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        if let Some(day) = text(raw).ok().and_then(date) {
            return match BIRTH_YEARS.contains(&day.year()) {
                true => Ok(Birthday::Day(day)),
                false => Err(Invalid::Wrong),
            };
        }
        let at = i64::read(raw)?;
        let is_midnight = at.unsigned_abs() >= SMALL || at % QUARTER == 0;
        match is_midnight && BIRTH_SECONDS.contains(&at) {
            true => Ok(Birthday::At(at)),
            false => Err(Invalid::Wrong),
        }
    }
}

impl<const MAX: usize> Value for ProfileText<MAX> {
    fn kind() -> Cow<'static, str> {
        format!("text, up to {MAX} characters, also on several lines").into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        match text(raw)? {
            text if text.chars().nth(MAX).is_some() => Err(Invalid::TooLong),
            text if !is_storable(&text.replace(['\r', '\n', '\t'], "")) => Err(Invalid::Wrong),
            text => Ok(ProfileText(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn birthdays() {
        let read = |text: &str| Birthday::read(&Raw::Text(text.into())).ok();
        let day = Some(Birthday::Day(civil::date(1990, 1, 31)));
        for text in [
            "1990-01-31",
            "1990-1-31",
            "1990/01/31",
            "19900131",
            " 1990-01-31\n",
            "1990-01-31 00:00:00",
            "1990-01-31T00:00:00.000+08:00",
            "1990-01-31T00:00Z",
        ] {
            assert_eq!(read(text), day, "{text}");
        }
        for seconds in [0, 86_400, -57_600, 633_715_200, -2_208_988_800, 19_897_200] {
            let at = Some(Birthday::At(seconds));
            assert_eq!(read(&seconds.to_string()), at, "{seconds}");
        }
        for text in [
            "",
            "x",
            "1990",
            "900131",
            "19900132",
            "19901301",
            "1990-02-30",
            "90-01-31",
            "1990-01-31-1",
            "1990-+1-31",
            "1990-01-31 12:00:00",
            "1990-01-31T00:00:00+8",
            "633715200000",
            "18991231",
            "2100-01-01",
            "-2208988801",
            "4102444800",
            "9223372036854775807",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn sexes() {
        let read = |raw: Raw<'_>| Sex::read(&raw).ok().map(|Sex(sex)| sex);
        for (text, sex) in [
            ("0", 0),
            (" 1\n", 1),
            ("2", 2),
            ("保密", 0),
            ("Male", 1),
            ("女 ", 2),
        ] {
            assert_eq!(read(Raw::Text(text.into())), Some(sex), "{text}");
        }
        assert_eq!(read(Raw::Decimal("2.0".into())), Some(2));
        for text in ["3", "-1", "1.5", "x"] {
            assert_eq!(read(Raw::Text(text.into())), None, "{text}");
        }
        for other in [Raw::Decimal("1.5".into()), Raw::Bool(true), Raw::Other] {
            assert_eq!(read(other), None);
        }
    }

    #[test]
    fn a_profile_text_has_lines_and_no_other_controls() {
        let read = |text: &str| ProfileText::<5>::read(&Raw::Text(text.into()));
        assert_eq!(read("a\r\n\tb"), Ok(ProfileText("a\r\n\tb".into())));
        assert_eq!(read("123456"), Err(Invalid::TooLong));
        for control in ['\0', '\u{b}', '\u{1b}', '\u{7f}', '\u{85}'] {
            assert_eq!(read(&format!("a{control}b")), Err(Invalid::Wrong));
        }
    }
}
