//! The company's calendar: days and years start at midnight in the configured time zone. Times are ms since 1970 UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::ledger::book::transaction::NEVER;

/// Converts between times and the days of one time zone.
#[derive(Clone, Debug)]
pub struct Calendar(TimeZone);

impl Calendar {
    /// The calendar of a time zone.
    pub fn new(timezone: TimeZone) -> Calendar {
        Calendar(timezone)
    }

    /// The local day of a time.
    pub fn day(&self, now: i64) -> Date {
        self.local(now).date()
    }

    /// The time at which a local day starts; `None` outside the years that the time library supports.
    pub fn start_of(&self, day: Date) -> Option<i64> {
        let start = day.to_zoned(self.0.clone()).ok();
        start.map(|start| start.timestamp().as_millisecond())
    }

    /// The start of the local day at `now` and the start of the next one.
    pub fn day_bounds(&self, now: i64) -> (i64, i64) {
        let today = self.day(now);
        let start = self.start_of(today).unwrap_or_default();
        let next = self.start_of(today.saturating_add(1.day()));
        (start, next.unwrap_or(NEVER))
    }

    /// The local year at `now` and the time at which it ends.
    pub fn year(&self, now: i64) -> (i16, i64) {
        let year = self.day(now).year();
        let next = Date::new(year.saturating_add(1), 1, 1).ok();
        let end = next.and_then(|day| self.start_of(day));
        (year, end.unwrap_or(NEVER))
    }

    /// The month in which points count for the last time that expire at a time: `2027-12` of the first moment of 2028.
    pub fn last_month(&self, expires_at: i64) -> String {
        let day = self.day(expires_at.saturating_sub(1));
        day.strftime("%Y-%m").to_string()
    }

    /// Formats a time as `YYYY-MM-DD HH:MM:SS`, the form of all protocols.
    pub fn format(&self, at: i64) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn local(&self, at: i64) -> Zoned {
        let at = Timestamp::from_millisecond(at).unwrap_or_default();
        at.to_zoned(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_years_begin_at_local_midnight() {
        let calendar = Calendar::new(TimeZone::get("Asia/Shanghai").unwrap());
        // 2026-12-31 23:59:59.999 in Shanghai.
        let now = 1_798_732_799_999;
        assert_eq!(calendar.format(now), "2026-12-31 23:59:59");
        assert_eq!(calendar.day_bounds(now), (now - 86_399_999, now + 1));
        assert_eq!(calendar.year(now), (2026, now + 1));
        assert_eq!(calendar.year(now + 1).0, 2027);
        assert_eq!(calendar.last_month(now + 1), "2026-12");
        assert_eq!(calendar.last_month(now + 2), "2027-01");
    }
}
