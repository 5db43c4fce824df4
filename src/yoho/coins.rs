//! What the coin methods share: the ledger, the money rules of the configuration, and the company's time zone.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::Serialize;

use crate::config::{CoinType, Config, Expiry, Once};
use crate::gateway::fault::Failure;
use crate::ledger::key::Key;
use crate::ledger::posting::{self, AccountKey, NEVER, Posting, Refusal};
use crate::ledger::{Ledger, PostError, ReadError};

use super::values::Uid;

/// YOHO coins: the asset `coin` of members known by their `uid`.
pub struct Coins {
    /// Where they are kept.
    pub ledger: Ledger,
    types: BTreeMap<i64, CoinType>,
    expiry: Expiry,
    timezone: TimeZone,
}

/// What the writing methods answer: the balance afterwards, as the document's string.
#[derive(Debug, Serialize)]
pub struct Balance {
    currency: String,
    uid: i64,
}

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
            owner: format!("uid:{}", uid.0),
            asset: "coin".into(),
        }
    }

    /// Posts to a user's account; `refuse` is how the method answers what the ledger refuses.
    ///
    /// # Errors
    /// What `refuse` gives, or a ledger that is busy or does not answer.
    pub async fn post(
        &self,
        uid: Uid,
        posting: Posting,
        refuse: impl FnOnce(Refusal) -> Failure,
    ) -> Result<Balance, Failure> {
        match self.ledger.post(posting).await {
            Ok(receipt) => Ok(Balance {
                currency: receipt.balance.to_string(),
                uid: uid.0,
            }),
            Err(PostError::Refused(refusal)) => Err(refuse(refusal)),
            Err(PostError::Busy) => Err(Failure::Busy),
            Err(PostError::Unavailable) => Err(Failure::Internal),
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
        kind: i64,
        uid: Uid,
        name: &[&str],
        content: &[&str],
    ) -> Option<posting::Once> {
        let rule = self.types.get(&kind).map_or(Once::Ever, |rules| rules.once);
        let day = match rule {
            Once::Never => return None,
            Once::Ever => String::new(),
            Once::Day => self.local(self.ledger.now()).date().to_string(),
        };
        let (kind, uid) = (kind.to_string(), uid.0.to_string());
        let words: Vec<&str> = ["coin", "once", &uid, &kind, &day]
            .iter()
            .chain(name)
            .copied()
            .collect();
        Some(posting::Once {
            key: Key::of(&words),
            content: Key::of(content),
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
        kind: i64,
        reference: Option<&str>,
        message: Option<String>,
    ) -> (String, String) {
        let Some(rules) = self.types.get(&kind) else {
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

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        match error {
            ReadError::Busy => Failure::Busy,
            ReadError::Unavailable => Failure::Internal,
        }
    }
}
