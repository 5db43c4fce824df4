//! The section `[yoho]`: the shop's coins, the types of their rows, and the keys of its clients.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;

use super::limits::{self, Limits};
use super::network;
use super::reader::{Invalid, Section};
use super::salt::{self, Salt};
use super::secret::Secret;

/// `[yoho]`.
#[derive(Clone, Debug)]
pub struct Yoho {
    /// The salt of the field `md5` in responses.
    pub salt: Salt,
    /// The value of the parameter `debug` that skips the signature; `None` = off.
    pub debug: Option<String>,
    /// The networks from which `debug` is accepted; IPv4-mapped networks are stored as IPv4.
    pub debug_from: Vec<IpNet>,
    /// The methods that a request with `debug` may call: names, or beginnings of names with `*`.
    pub debug_methods: Vec<String>,
    /// How long a second return of the same order and size is a retry of the first.
    pub return_retry: Duration,
    /// The clients by lower-case `client_type`.
    pub clients: BTreeMap<String, Client>,
    /// The types 1 to 22; all are present.
    pub types: BTreeMap<i64, CoinType>,
    /// When coins expire.
    pub expiry: Expiry,
}

/// `[yoho.clients.NAME]`, or a key of `[yoho.client_keys]`, which may do everything.
#[derive(Clone, Debug)]
pub struct Client {
    /// The private key that signs its requests; not empty.
    pub key: Secret,
    /// The previous key, accepted too while the clients change over.
    pub previous_key: Option<Secret>,
    /// The methods that it may call: names, or beginnings of names with `*`.
    pub allow: Vec<String>,
    /// Whether it may send parameters as JSON, which the key does not sign.
    pub accepts_json: bool,
    /// The networks, the rate and the points.
    pub limits: Limits,
    /// Whether it stands in `[yoho.client_keys]`.
    pub is_short: bool,
}

impl Client {
    /// A client that may do everything.
    pub fn unlimited(key: Secret) -> Client {
        Client {
            key,
            previous_key: None,
            allow: vec!["*".to_owned()],
            accepts_json: true,
            limits: Limits::default(),
            is_short: true,
        }
    }
}

/// `[yoho.types.N]`: one of the 22 types of rows in the list of coins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinType {
    /// The title; at most one `%s` stands for the reference and is shown as it is.
    pub title: String,
    /// The message; at most one `%s` is replaced by the reference.
    pub message: String,
    /// How often one reference of a member counts; `None` for the types 1 to 16, which no request posts.
    pub uniqueness: Uniqueness,
}

/// The period in which one reference of a member counts once: the key `once`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// `ever`: a reference counts once.
    Forever,
    /// `day`: a reference counts once per day of the configured time zone.
    Daily,
    /// `never`: references need not be unique; every request counts.
    None,
}

/// When coins expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At the last second of the year `years` years after the one in which they were earned; 0 = the same year.
    YearEnd {
        /// 0 to 100.
        years: i16,
    },
    /// This many days after they were earned, 1 to 36500.
    Days(i64),
    /// Coins do not expire.
    Never,
}

/// The numbers of the types.
pub(super) const TYPES: std::ops::RangeInclusive<i64> = 1..=22;
/// The first type that requests can post, and that therefore has the key `once`.
const FIRST_POSTABLE: i64 = 17;

/// The most characters of a title or a message.
const MAX_CHARS: usize = 255;

fn client(section: &mut Section<'_, '_>) -> Option<Client> {
    let key = section.secret("key");
    let previous_key = section.optional_secret("previous_key");
    let allow = match section.optional("allow") {
        true => section.list("allow", limits::PATTERN, limits::pattern),
        false => Some(vec!["*".to_owned()]),
    };
    let accepts_json = match section.optional("json") {
        true => section.choice("json", &[("accept", true), ("refuse", false)]),
        false => Some(true),
    };
    let limits = limits::limits(section);
    Some(Client {
        key: key?,
        previous_key: previous_key?,
        allow: allow?,
        accepts_json: accepts_json?,
        limits: limits?,
        is_short: false,
    })
}

/// Reads `[yoho]`.
pub(super) fn yoho(section: &mut Section<'_, '_>, zone: &TimeZone) -> Option<Yoho> {
    let salt = salt::salt(section, zone);
    let debug_methods = section.list("debug_methods", limits::PATTERN, limits::pattern);
    let debug_from = section.list("debug_from", network::EXPECTED, network::parse);
    let short = section.section("client_keys", |keys| keys.secrets());
    let long = match section.optional("clients") {
        true => section.section("clients", |clients| clients.named_tables(client)),
        false => Some(BTreeMap::new()),
    };
    let is_built_in = section.is_built_in("debug");
    let expected = "a text without spaces, or \"\" for off";
    let debug = section.parsed("debug", expected, |text| match text {
        "" => Ok(None),
        value if value.contains(char::is_whitespace) => Err(Invalid::Malformed),
        value => Ok(Some(value.to_owned())),
    });
    // The word of the documents is public: it must not open a gateway that has keys of its own.
    let samples = &section.reader.samples;
    let has_sample_keys = samples.iter().any(|it| it.starts_with("yoho.client_keys."));
    let debug = debug.map(|word| word.filter(|_| has_sample_keys || !is_built_in));
    let return_retry = section.integer("return_retry_seconds", 1..=31_536_000);
    let types = section.section("types", types);
    let expiry = section.section("expiry", expiry);
    let (mut clients, short) = (long?, short?);
    for (name, key) in short {
        if clients.contains_key(&name) {
            let message = format!("{name} is also in [yoho.client_keys]; keep one of them");
            return section.error("clients", section.location.clone(), message);
        }
        clients.insert(name, Client::unlimited(key));
    }
    Some(Yoho {
        salt: salt?,
        debug: debug?,
        debug_from: debug_from?,
        debug_methods: debug_methods?,
        return_retry: Duration::from_secs(return_retry?),
        clients,
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
    let expected = format!("1 to {MAX_CHARS} characters on one line, with at most one %s");
    let title = section.parsed("title", &expected, template);
    let message = section.parsed("message", &expected, template);
    let uniqueness = if number >= FIRST_POSTABLE {
        let choices = [
            ("ever", Uniqueness::Forever),
            ("day", Uniqueness::Daily),
            ("never", Uniqueness::None),
        ];
        section.choice("once", &choices)
    } else {
        section.forbid(
            "once",
            "only the types 17 to 22 have this key: requests cannot post the others",
        );
        Some(Uniqueness::None)
    };
    Some(CoinType {
        title: title?,
        message: message?,
        uniqueness: uniqueness?,
    })
}

/// Checks a title or message.
fn template(text: &str) -> Result<String, Invalid> {
    let valid = !text.trim().is_empty()
        && text.chars().count() <= MAX_CHARS
        && !text.contains(char::is_control)
        && text.matches("%s").count() <= 1;
    if valid {
        Ok(text.to_owned())
    } else {
        Err(Invalid::Malformed)
    }
}

fn expiry(section: &mut Section<'_, '_>) -> Option<Expiry> {
    let years = section.integer("years", 0..=100);
    let days = section.integer("days", 1..=36_500);
    // After an invalid number, any value will do to check `rule` too: the error is recorded.
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
