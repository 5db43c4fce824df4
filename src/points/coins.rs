//! The shop's coins: their accounts, expiry, idempotency keys, and texts in a history.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::calendar::Calendar;
use super::keys::KeySpace;
use super::repeats::RepeatCounter;
use super::values::Uid;
use crate::config::{CoinType, Config, Expiry, Uniqueness};
use crate::gateway::context::Context;
use crate::gateway::context::PointLimits;
use crate::gateway::metrics::Metrics;
use crate::ledger::Ledger;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{
    AccountKey, Allowance, CreditLimit, Idempotency, NEVER, Reason,
};
use crate::members::MemberName;

/// The asset `coin` of members known by their `uid`, by the rules of `[yoho]`.
pub struct Coins {
    /// The ledger of all points.
    pub ledger: Ledger,
    /// The company's calendar, which decides when coins expire and when a daily reference counts again.
    pub calendar: Calendar,
    /// Counts requests that repeat an earlier one.
    pub repeats: RepeatCounter,
    /// How long a return of the same size is a retry (ms).
    pub return_retry: i64,
    types: BTreeMap<i64, CoinType>,
    expiry: Expiry,
}

/// The name of the coins' asset in the ledger.
pub const COIN: &str = "coin";

impl Coins {
    /// Takes the rules of `[yoho]`.
    pub fn new(ledger: Ledger, config: &Config, metrics: &Metrics) -> Coins {
        Coins {
            ledger,
            calendar: Calendar::new(config.timezone.clone()),
            repeats: RepeatCounter::register(metrics),
            return_retry: i64::try_from(config.yoho.return_retry.as_millis()).unwrap_or(i64::MAX),
            types: config.yoho.types.clone(),
            expiry: config.yoho.expiry,
        }
    }

    /// The coin account of a user.
    pub fn account(uid: Uid) -> AccountKey {
        AccountKey {
            owner: MemberName::Uid(uid.0).owner(),
            asset: COIN.into(),
        }
    }

    /// The key of a user's order, which links a return to the spend.
    pub fn order(uid: Uid, code: &str) -> Key {
        KeySpace::CoinOrder.key(&[&uid.0.to_string(), code])
    }

    /// The idempotency key of a request at `now`, by `once` of its type: the same `reference` counts once for ever, once a day, or
    /// each time (`None`). A request with the same key must have the same `content`.
    pub fn idempotency(
        &self,
        reason: Reason,
        uid: Uid,
        reference: &[&str],
        content: &[&str],
        now: i64,
    ) -> Option<Idempotency> {
        let day = match self.uniqueness(reason) {
            Uniqueness::None => return None,
            Uniqueness::Forever => String::new(),
            Uniqueness::Daily => self.calendar.day(now).to_string(),
        };
        Some(Idempotency {
            key: reference_key(reason, uid, &day, reference),
            fingerprint: Key::of(content),
        })
    }

    /// The keys that a request has one local day before `now` and one after it, if its reference counts once a day. A retry of it may
    /// arrive on the other side of midnight.
    pub fn neighbouring_keys(
        &self,
        reason: Reason,
        uid: Uid,
        reference: &[&str],
        now: i64,
    ) -> Vec<Key> {
        if self.uniqueness(reason) != Uniqueness::Daily {
            return Vec::new();
        }
        let today = self.calendar.day(now);
        let days = [today.yesterday(), today.tomorrow()].into_iter().flatten();
        days.map(|day| reference_key(reason, uid, &day.to_string(), reference))
            .collect()
    }

    /// How often one reference of a member counts.
    pub fn uniqueness(&self, reason: Reason) -> Uniqueness {
        let rule = self.types.get(&reason.0);
        rule.map_or(Uniqueness::Forever, |rules| rules.uniqueness)
    }

    /// The limit on the points that a call may earn: its caller's, per request and per local day. `None` = no limit.
    pub fn credit_limit<D>(&self, context: &Context<D>) -> Option<CreditLimit> {
        let PointLimits {
            per_request,
            per_day,
        } = context.points;
        let dialect = context.origin.dialect;
        // A caller that no key proves could take another name for each request.
        let caller = match context.origin.key {
            Some(_) => context.origin.caller.as_str(),
            None => "",
        };
        let allowance = per_day.map(|most| {
            let day = self.calendar.day(context.now).to_string();
            let (_, expires_at) = self.calendar.day_bounds(context.now);
            Allowance {
                key: KeySpace::DailyCredit.key(&[dialect, caller, &day]),
                expires_at,
                most,
            }
        });
        let is_limited = per_request.is_some() || allowance.is_some();
        is_limited.then(|| CreditLimit {
            most: per_request.unwrap_or(i64::MAX),
            allowance,
        })
    }

    /// When coins earned at `now` expire (ms since 1970 UTC, exclusive): from then on they no longer count.
    pub fn expires_at(&self, now: i64) -> i64 {
        let today = self.calendar.day(now);
        let first_day_without = match self.expiry {
            Expiry::Never => None,
            Expiry::YearEnd { years } => {
                Date::new(today.year().saturating_add(years).saturating_add(1), 1, 1).ok()
            }
            Expiry::Days(days) => today.checked_add((days + 1).days()).ok(),
        };
        let expires_at = first_day_without.and_then(|day| self.calendar.start_of(day));
        expires_at.unwrap_or(NEVER)
    }

    /// When points of an asset earned at `now` expire (ms since 1970 UTC): coins by their rule, others never.
    pub fn expiry_of(&self, asset: &str, now: i64) -> i64 {
        match asset == COIN {
            true => self.expires_at(now),
            false => NEVER,
        }
    }

    /// The title and the message of a history row. The message is the request's own, by default the type's with `%s` replaced by
    /// the reference.
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
}

/// The key of a coin posting; `day` is the local day or "".
fn reference_key(reason: Reason, uid: Uid, day: &str, reference: &[&str]) -> Key {
    let (reason, uid) = (reason.0.to_string(), uid.0.to_string());
    let parts = [&[uid.as_str(), &reason, day], reference].concat();
    KeySpace::CoinReference.key(&parts)
}
