//! Whether the clock can be trusted. A wrong one would expire points for good and date entries that never change, so that nothing is
//! written while it is away from the time that is expected by more than a bound.
//!
//! Within a process the expected time is the last one and what has passed since by the machine's counter, which no correction of the
//! clock moves. At a start it is the time that the ledger saw last, and with a database server always that server's time too.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

use crate::ledger::database::backend::Backend;

/// Milliseconds of an hour.
const HOUR: u64 = 3_600_000;

/// What the clock was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSource {
    /// The time of a moment ago, and what has passed since.
    Process,
    /// The time that the ledger saw last.
    Ledger,
    /// The clock of the database server.
    Database,
}

/// A clock that is away from the expected time by more than the bound. All times are in ms since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockGap {
    /// The time of the clock.
    pub now: i64,
    /// The time that was expected.
    pub expected: i64,
    /// Where the expected time is from.
    pub source: ClockSource,
}

impl fmt::Display for ClockGap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.now.abs_diff(self.expected) / HOUR;
        let side = match self.now > self.expected {
            true => "ahead of",
            false => "behind",
        };
        let source = match self.source {
            ClockSource::Process => "the time of a moment ago",
            ClockSource::Ledger => "the time that the ledger saw last",
            ClockSource::Database => "the clock of the database server",
        };
        write!(out, "the clock is {hours} hours {side} {source}")
    }
}

impl std::error::Error for ClockGap {}

/// What the database tells of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The time that the ledger saw last (ms); `None` = none yet.
    pub seen_at: Option<i64>,
    /// The time of the database server (ms), less what an operator confirmed it to be ahead; `None` without a server.
    pub database: Option<i64>,
}

/// Decides whether the clock is trusted. Clones share it. Without a bound it trusts everything.
#[derive(Clone, Debug, Default)]
pub struct ClockGuard(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The most that the clock may be away from the expected time (ms).
    bound: Option<u64>,
    trust: Trust,
}

#[derive(Clone, Copy, Debug, Default)]
enum Trust {
    /// Nothing has been compared yet.
    #[default]
    Unknown,
    /// The last time, when it was, and the last time that the database took.
    Good {
        now: i64,
        since: Instant,
        noted: i64,
    },
    /// It is not trusted.
    Bad(ClockGap),
}

impl ClockGuard {
    /// Bounds how far the clock may be away from the expected time.
    pub fn set_bound(&self, bound: Duration) {
        self.lock().bound = Some(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX));
    }

    /// Why the clock is not trusted; `None` if it is.
    pub fn gap(&self) -> Option<ClockGap> {
        match self.lock().trust {
            Trust::Bad(gap) => Some(gap),
            Trust::Unknown | Trust::Good { .. } => None,
        }
    }

    /// Compares a time of the clock with the one that is expected in this process.
    ///
    /// # Errors
    /// Returns [`ClockGap`] if the clock is not trusted, from now on or since before.
    pub fn check(&self, now: i64) -> Result<(), ClockGap> {
        self.check_at(now, Instant::now())
    }

    fn check_at(&self, now: i64, instant: Instant) -> Result<(), ClockGap> {
        let mut state = self.lock();
        let Some(bound) = state.bound else {
            return Ok(());
        };
        let trust = match state.trust {
            Trust::Good { noted, .. } => match jump(state.trust, now, instant, bound) {
                Some(gap) => Trust::Bad(gap),
                None => Trust::Good {
                    now,
                    since: instant,
                    noted,
                },
            },
            other => other,
        };
        state.turn(trust)
    }

    /// Compares a time of the clock with what the database tells. A clock that was not trusted may be from now on.
    ///
    /// # Errors
    /// Returns [`ClockGap`] if the clock is not trusted.
    pub fn settle(&self, now: i64, seen: Sighting) -> Result<(), ClockGap> {
        self.settle_at(now, seen, Instant::now())
    }

    fn settle_at(&self, now: i64, seen: Sighting, instant: Instant) -> Result<(), ClockGap> {
        let mut state = self.lock();
        let Some(bound) = state.bound else {
            return Ok(());
        };
        let away = |expected: i64, source: ClockSource| {
            let gap = ClockGap {
                now,
                expected,
                source,
            };
            (now.abs_diff(expected) > bound).then_some(gap)
        };
        let by_database = seen
            .database
            .and_then(|database| away(database, ClockSource::Database));
        let by_ledger = seen
            .seen_at
            .and_then(|seen_at| away(seen_at, ClockSource::Ledger));
        let by_ledger = match state.trust {
            // The database may have been out of reach for long, which does not make a clock wrong that ran on meanwhile. Somebody
            // else has set back what it saw if that is long before what it took from here.
            Trust::Good { noted, .. } => by_ledger.filter(|gap| {
                let is_set_back = gap.expected < noted && noted.abs_diff(gap.expected) > bound;
                gap.expected > now || is_set_back
            }),
            Trust::Unknown | Trust::Bad(_) => by_ledger,
        };
        let jumped = jump(state.trust, now, instant, bound);
        let trust = match by_database.or(by_ledger).or(jumped) {
            Some(gap) => Trust::Bad(gap),
            None => Trust::Good {
                now,
                since: instant,
                noted: now,
            },
        };
        state.turn(trust)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a trusted clock has jumped since its last time.
fn jump(trust: Trust, now: i64, instant: Instant, bound: u64) -> Option<ClockGap> {
    let Trust::Good {
        now: last, since, ..
    } = trust
    else {
        return None;
    };
    let passed = instant.saturating_duration_since(since).as_millis();
    let expected = last.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
    let source = ClockSource::Process;
    (now.abs_diff(expected) > bound).then_some(ClockGap {
        now,
        expected,
        source,
    })
}

impl State {
    /// Takes over a finding, and logs it if it changes whether the clock is trusted.
    fn turn(&mut self, trust: Trust) -> Result<(), ClockGap> {
        let was_bad = matches!(self.trust, Trust::Bad(_));
        self.trust = trust;
        match trust {
            Trust::Bad(gap) => {
                if !was_bad {
                    log::error!(
                        "{gap}: nothing is written and nothing expires; correct the clock, or confirm it: pointgate clock --confirm"
                    );
                }
                Err(gap)
            }
            Trust::Good { .. } | Trust::Unknown => {
                if was_bad {
                    log::warn!("the clock is trusted again");
                }
                Ok(())
            }
        }
    }
}

/// Reads what the database tells of the time.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn read(db: &impl ConnectionTrait) -> Result<Sighting, DbErr> {
    let backend = Backend::of(db);
    let now = backend.now;
    let select = format!("SELECT seen_at, {now} - database_ahead FROM clock WHERE id = 1");
    let row = query(db, select).await?;
    let database: i64 = row.try_get_by_index(1)?;
    let mut seen_at: Option<i64> = row.try_get_by_index(0)?;
    if seen_at.is_none() {
        // A ledger that was upgraded or copied has seen no time yet, but its entries have.
        let newest = query(db, "SELECT MAX(last_at) FROM account".to_owned()).await?;
        seen_at = newest.try_get_by_index(0)?;
    }
    Ok(Sighting {
        seen_at,
        database: backend.has_own_clock.then_some(database),
    })
}

/// Notes the time `now` (ms) that a trusted clock shows.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn note(db: &impl ConnectionTrait, now: i64) -> Result<(), DbErr> {
    let note = format!("UPDATE clock SET seen_at = {now} WHERE id = 1");
    db.execute_unprepared(&note).await.map(|_| ())
}

/// Takes the time `now` (ms) as right, whatever the ledger has seen and the database's clock shows. Returns how far that one is ahead
/// (ms).
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn confirm(db: &impl ConnectionTrait, now: i64) -> Result<i64, DbErr> {
    let database = Backend::of(db).now;
    let row = query(db, format!("SELECT {database} - {now}")).await?;
    let ahead: i64 = row.try_get_by_index(0)?;
    let confirm =
        format!("UPDATE clock SET seen_at = {now}, database_ahead = {ahead} WHERE id = 1");
    db.execute_unprepared(&confirm).await?;
    Ok(ahead)
}

async fn query(db: &impl ConnectionTrait, sql: String) -> Result<QueryResult, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the table clock has no row".to_owned()))
}

#[cfg(test)]
mod tests;
