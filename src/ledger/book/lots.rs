//! Lots, the effects of entries on them, and how an entry states them.

use std::fmt::Write as _;

/// Points of an account that expire together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The time from which on they no longer count (ms).
    pub expires_at: i64,
    /// Points left.
    pub remaining: i64,
}

/// The effect of an entry on one lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotChange {
    /// The lot's expiry (ms).
    pub expires_at: i64,
    /// Points that the lot gained, negative if it lost them; never 0.
    pub points: i64,
}

/// The sum of changes; `None` if it exceeds 64 bits.
pub fn sum(changes: &[LotChange]) -> Option<i64> {
    let mut changes = changes.iter();
    changes.try_fold(0_i64, |sum, change| sum.checked_add(change.points))
}

/// Adds points to the change of a lot. Changes stay in the order of their expiries.
pub fn add(changes: &mut Vec<LotChange>, expires_at: i64, points: i64) {
    match changes.binary_search_by_key(&expires_at, |change| change.expires_at) {
        Ok(at) => changes[at].points += points,
        Err(at) => changes.insert(at, LotChange { expires_at, points }),
    }
}

/// Writes changes as an entry states them: `EXPIRY:POINTS`, joined by commas.
pub fn write_changes(changes: &[LotChange]) -> String {
    write(changes.iter().map(|it| (it.expires_at, it.points)))
}

/// Writes the lots of an account alike.
pub fn write_lots(lots: &[Lot]) -> String {
    write(lots.iter().map(|lot| (lot.expires_at, lot.remaining)))
}

fn write(pairs: impl Iterator<Item = (i64, i64)>) -> String {
    let mut text = String::with_capacity(24);
    for (expires_at, points) in pairs {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{expires_at}:{points}");
    }
    text
}

/// Reads changes. Returns `None` unless the text is what [`write_changes`] writes, in the order of the expiries.
pub fn read_changes(text: &str) -> Option<Vec<LotChange>> {
    let change = |part: &str| {
        let (expires_at, points) = part.split_once(':')?;
        let (expires_at, points) = (number(expires_at)?, number(points)?);
        Some(LotChange { expires_at, points }).filter(|it| it.points != 0)
    };
    let changes: Option<Vec<LotChange>> = text.split(',').map(change).collect();
    changes.filter(|it| it.is_sorted_by(|a, b| a.expires_at < b.expires_at))
}

/// Reads the lots of an account: as [`read_changes`], but the text can be empty, and no lot holds less than 1 point.
pub fn read_lots(text: &str) -> Option<Vec<Lot>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let changes = read_changes(text)?;
    let lot = |it: LotChange| {
        let lot = Lot {
            expires_at: it.expires_at,
            remaining: it.points,
        };
        (it.points > 0).then_some(lot)
    };
    changes.into_iter().map(lot).collect()
}

/// Reads a number that is written in the only way: no sign but a minus, no leading zero.
pub(super) fn number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::book::transaction::NEVER;

    #[test]
    fn changes_survive_storage() {
        let changes = [(5, -3), (NEVER, 7)];
        let changes = changes.map(|(expires_at, points)| LotChange { expires_at, points });
        let text = write_changes(&changes);
        assert_eq!(text, "5:-3,9223372036854775807:7");
        assert_eq!(read_changes(&text).unwrap(), changes);
        assert_eq!(sum(&changes), Some(4));
    }

    #[test]
    fn one_list_of_changes_has_one_text() {
        for bad in [
            "",
            ",",
            "5",
            "5:",
            ":3",
            "5:0",
            "5:+3",
            "5:03",
            "05:3",
            "5:-0",
            "5: 3",
            "5:3,",
            "5:3,5:3",
            "6:3,5:3",
            "5:3;6:3",
            "5:3:1",
            "x:3",
            "9223372036854775808:1",
        ] {
            assert_eq!(read_changes(bad), None, "{bad}");
        }
    }

    #[test]
    fn lots_hold_points() {
        let lots = [(5, 3), (9, 1)].map(|(expires_at, remaining)| Lot {
            expires_at,
            remaining,
        });
        assert_eq!(read_lots(&write_lots(&lots)).unwrap(), lots);
        assert_eq!(read_lots(&write_lots(&[])), Some(Vec::new()));
        assert_eq!(read_lots("5:-3"), None);
    }

    #[test]
    fn changes_of_one_lot_are_one_change() {
        let mut changes = Vec::new();
        for (expires_at, points) in [(9, 1), (5, 2), (9, 3)] {
            add(&mut changes, expires_at, points);
        }
        assert_eq!(write_changes(&changes), "5:2,9:4");
    }
}
