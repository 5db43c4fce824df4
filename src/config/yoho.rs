//! The section `[yoho]`: the shop's coins, their types, and how its clients sign.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::network;
use super::reader::{Section, Wrong};
use super::secret::Secret;

/// `[yoho]`.
#[derive(Clone, Debug)]
pub struct Yoho {
    /// The salt of a response's `md5`.
    pub salt: Secret,
    /// The word of the parameter `debug` that skips the signature; `None` = off.
    pub debug: Option<String>,
    /// Where that word counts; IPv4-mapped networks stand here as IPv4.
    pub debug_from: Vec<IpNet>,
    /// Private keys by lower-cased `client_type`; none of them is empty.
    pub client_keys: BTreeMap<String, Secret>,
    /// The types 1 to 22, all of them.
    pub types: BTreeMap<i64, CoinType>,
    /// When coins lapse.
    pub expiry: Expiry,
}

/// `[yoho.types.N]`: one of the 22 types of the coins' ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinType {
    /// The title; at most one `%s` stands for the reference and is shown as it is.
    pub title: String,
    /// The message; at most one `%s` is replaced by the reference.
    pub message: String,
    /// How often one reference counts; `Never` for the types 1 to 16, which no request posts.
    pub once: Once,
}

/// How often the same reference counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// Once for ever.
    Ever,
    /// Once a local day.
    Day,
    /// There is no such limit: every request counts.
    Never,
}

/// When coins lapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At the last second of the year so many years after the one in which they were earned; 0 = the same year.
    YearEnd {
        /// Years, 0 to 100.
        years: i16,
    },
    /// So many days after they were earned.
    Days(i64),
    /// Not at all.
    Never,
}

/// The numbers of the types, and the first of those that a request posts and that so have a rule for repeats.
const TYPES: std::ops::RangeInclusive<i64> = 1..=22;
const FIRST_POSTED: i64 = 17;

/// The most characters of a title or message.
const LONGEST: usize = 255;

/// Reads `[yoho]`.
pub(super) fn yoho(section: &mut Section<'_, '_>) -> Option<Yoho> {
    let salt = section.secret("salt");
    let what = "a word without spaces, or \"\" for off";
    let debug = section.parsed("debug", what, |text| match text {
        "" => Ok(None),
        word if word.contains(char::is_whitespace) => Err(Wrong::NotOne),
        word => Ok(Some(word.to_owned())),
    });
    let debug_from = section.list("debug_from", network::WHAT, network::parse);
    let client_keys = section.section("client_keys", |keys| keys.secrets());
    let types = section.section("types", types);
    let expiry = section.section("expiry", expiry);
    Some(Yoho {
        salt: salt?,
        debug: debug?,
        debug_from: debug_from?,
        client_keys: client_keys?,
        types: types?,
        expiry: expiry?,
    })
}

fn types(section: &mut Section<'_, '_>) -> Option<BTreeMap<i64, CoinType>> {
    section.hint("the types are 1 to 22");
    let mut types = BTreeMap::new();
    for number in TYPES {
        let coin_type = section.section(&number.to_string(), |inner| coin_type(inner, number));
        types.extend(coin_type.map(|coin_type| (number, coin_type)));
    }
    Some(types)
}

fn coin_type(section: &mut Section<'_, '_>, number: i64) -> Option<CoinType> {
    let what = format!("a text of 1 to {LONGEST} characters on one line, with %s at most once");
    let title = section.parsed("title", &what, template);
    let message = section.parsed("message", &what, template);
    let once = if number >= FIRST_POSTED {
        let choices = [
            ("ever", Once::Ever),
            ("day", Once::Day),
            ("never", Once::Never),
        ];
        section.choice("once", &choices)
    } else {
        if section.has("once") {
            section.forbid(
                "once",
                "only the types 17 to 22 have it: no request posts others",
            );
        }
        Some(Once::Never)
    };
    Some(CoinType {
        title: title?,
        message: message?,
        once: once?,
    })
}

fn template(text: &str) -> Result<String, Wrong> {
    let good = !text.trim().is_empty()
        && text.chars().count() <= LONGEST
        && !text.contains(char::is_control)
        && text.matches("%s").count() <= 1;
    if good {
        Ok(text.to_owned())
    } else {
        Err(Wrong::NotOne)
    }
}

fn expiry(section: &mut Section<'_, '_>) -> Option<Expiry> {
    let years = section.integer("years", 0..=100);
    let days = section.integer("days", 1..=36_500);
    // A bad number has been noted already: with any value here the word is still checked.
    let choices = [
        (
            "year_end",
            Expiry::YearEnd {
                years: years.unwrap_or(1),
            },
        ),
        ("days", Expiry::Days(days.unwrap_or(1))),
        ("never", Expiry::Never),
    ];
    section.choice("rule", &choices)
}
