//! Coins, whichever protocol reaches them: their ledger, the money rules of the configuration, the company's time zone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::config::{CoinType, Config, Expiry, Once};
use crate::gateway::fault::CallError;
use crate::gateway::params::{Bad, Raw, Value, Within};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{self, AccountKey, NEVER, Reason, Rejection};
use crate::ledger::{ApplyError, Ledger, ReadError};
use crate::members::Name;

/// Coins: the asset `coin` of members known by their `uid`.
pub struct Coins {
    /// Where they are kept.
    pub ledger: Ledger,
    types: BTreeMap<i64, CoinType>,
    expiry: Expiry,
    timezone: TimeZone,
}

/// The asset.
pub const COIN: &str = "coin";

/// A user: a positive 64-bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uid(pub i64);

/// The coins that one request may bring.
pub type Credit = Within<1, 1_000_000_000>;

impl Coins {
    /// Over this ledger, with the rules of the configuration.
    pub fn new(ledger: Ledger, config: &Config) -> Coins {
        Coins {
            ledger,
            types: config.yoho.types.clone(),
            expiry: config.yoho.expiry,
            timezone: config.timezone.clone(),
        }
    }

    /// A user's account.
    pub fn account(uid: Uid) -> AccountKey {
        AccountKey {
            owner: Name::Uid(uid.0).owner(),
            asset: COIN.into(),
        }
    }

    /// The key of one of a user's orders, under which spends may be returned.
    pub fn order(uid: Uid, code: &str) -> Key {
        Key::of(&["coin", "order", &uid.0.to_string(), code])
    }

    /// The retry guard of a request: by the once-rule of its type, the same `name`, or the same for the day, counts once;
    /// `content` must then be the same too.
    pub fn once(
        &self,
        reason: Reason,
        uid: Uid,
        name: &[&str],
        content: &[&str],
    ) -> Option<transaction::Idempotency> {
        let rule = self
            .types
            .get(&reason.0)
            .map_or(Once::Ever, |rules| rules.once);
        let day = match rule {
            Once::Never => return None,
            Once::Ever => String::new(),
            Once::Day => self.local(self.ledger.now()).date().to_string(),
        };
        let (reason, uid) = (reason.0.to_string(), uid.0.to_string());
        let words: Vec<&str> = ["coin", "once", &uid, &reason, &day]
            .iter()
            .chain(name)
            .copied()
            .collect();
        Some(transaction::Idempotency {
            key: Key::of(&words),
            fingerprint: Key::of(content),
        })
    }

    /// When coins that are earned now lapse (ms): from then on they no longer count.
    pub fn expires_at(&self) -> i64 {
        let today = self.local(self.ledger.now()).date();
        let first_day_without = match self.expiry {
            Expiry::Never => None,
            Expiry::YearEnd { years } => {
                Date::new(today.year().saturating_add(years).saturating_add(1), 1, 1).ok()
            }
            Expiry::Days(days) => today.checked_add((days + 1).days()).ok(),
        };
        first_day_without
            .and_then(|day| self.start_of(day))
            .unwrap_or(NEVER)
    }

    /// The year that it is, and when it ends (ms).
    pub fn this_year(&self) -> (i16, i64) {
        let year = self.local(self.ledger.now()).year();
        let end = Date::new(year.saturating_add(1), 1, 1)
            .ok()
            .and_then(|day| self.start_of(day));
        (year, end.unwrap_or(NEVER))
    }

    /// When this day begins, and when the next one (ms).
    pub fn today(&self) -> (i64, i64) {
        let today = self.local(self.ledger.now()).date();
        let start = self.start_of(today).unwrap_or_default();
        let next = self.start_of(today.saturating_add(1.day()));
        (start, next.unwrap_or(NEVER))
    }

    /// When a day begins (ms).
    pub fn start_of(&self, day: Date) -> Option<i64> {
        day.to_zoned(self.timezone.clone())
            .ok()
            .map(|start| start.timestamp().as_millisecond())
    }

    /// A time as the wire has it: `YYYY-MM-DD HH:MM:SS` in the configured zone.
    pub fn write_time(&self, at: i64) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The title and the message of a row: the type's, filled with the reference, unless the request brought its own.
    pub fn texts(
        &self,
        reason: Reason,
        reference: Option<&str>,
        message: Option<String>,
    ) -> (String, String) {
        let Some(rules) = self.types.get(&reason.0) else {
            return (String::new(), message.unwrap_or_default());
        };
        let message =
            message.unwrap_or_else(|| rules.message.replace("%s", reference.unwrap_or_default()));
        (rules.title.clone(), message)
    }

    fn local(&self, at: i64) -> Zoned {
        Timestamp::from_millisecond(at)
            .unwrap_or_default()
            .to_zoned(self.timezone.clone())
    }
}

impl Value for Uid {
    fn kind() -> Cow<'static, str> {
        "whole number > 0".into()
    }

    fn read(raw: &Raw) -> Result<Self, Bad> {
        match i64::read(raw)? {
            uid if uid > 0 => Ok(Uid(uid)),
            _ => Err(Bad::Wrong),
        }
    }
}

impl From<ReadError> for CallError {
    fn from(error: ReadError) -> CallError {
        match error {
            ReadError::Busy => CallError::Busy,
            ReadError::Unavailable => CallError::Internal,
        }
    }
}

/// A posting that failed as a call's failure; `refuse` is how the method answers what the ledger refuses.
pub fn failed(error: ApplyError, refuse: impl FnOnce(Rejection) -> CallError) -> CallError {
    match error {
        ApplyError::Rejected(refusal) => refuse(refusal),
        ApplyError::Busy => CallError::Busy,
        ApplyError::Unavailable => CallError::Internal,
    }
}
