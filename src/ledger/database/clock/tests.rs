//! Which clocks are trusted: at a start, after a jump, after an outage, beside another instance.

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_779_247_832_000;
const BOUND: Duration = Duration::from_secs(3600);
const MOST: i64 = 3_600_000;

fn guard() -> ClockGuard {
    let guard = ClockGuard::default();
    guard.set_bound(BOUND);
    guard
}

fn seen(seen_at: Option<i64>, database: Option<i64>) -> Sighting {
    Sighting { seen_at, database }
}

#[test]
fn without_a_bound_every_clock_is_trusted() {
    let guard = ClockGuard::default();
    assert!(guard.settle(NOW, seen(Some(0), Some(0))).is_ok());
    assert!(guard.check(0).is_ok() && guard.check(i64::MAX).is_ok());
    assert_eq!(guard.gap(), None);
}

#[test]
fn a_start_is_compared_in_both_directions() {
    for (off, is_trusted) in [
        (0, true),
        (MOST, true),
        (-MOST, true),
        (MOST + 1, false),
        (-MOST - 1, false),
        (i64::MAX - NOW, false),
        (-NOW, false),
    ] {
        let by_ledger = guard().settle(NOW + off, seen(Some(NOW), None));
        assert_eq!(by_ledger.is_ok(), is_trusted, "{off}");
        let by_database = guard().settle(NOW + off, seen(None, Some(NOW)));
        assert_eq!(by_database.is_ok(), is_trusted, "{off}");
    }
    assert!(guard().settle(NOW, seen(None, None)).is_ok());
}

/// A clock that jumps is found at the first look, and trusted again once it is back.
#[test]
fn a_jump_is_found_before_the_next_comparison() {
    for jump in [MOST + 1, -MOST - 1] {
        let guard = guard();
        guard.settle(NOW, seen(Some(NOW), None)).unwrap();
        guard.check(NOW).unwrap();
        let gap = guard.check(NOW + jump + 1000 * jump.signum()).unwrap_err();
        assert_eq!(gap.source, ClockSource::Process);
        assert_eq!(guard.check(NOW), Err(gap), "until it is compared");
        assert!(guard.settle(NOW + 2 * jump, seen(Some(NOW), None)).is_err());
        assert!(guard.settle(NOW, seen(Some(NOW), None)).is_ok());
        assert!(guard.check(NOW).is_ok());
    }
}

/// Time that really passes is no jump, however long nobody looked and however long the database was out of reach.
#[test]
fn time_that_passes_is_no_jump() {
    let (guard, begun) = (guard(), Instant::now());
    guard.settle_at(NOW, seen(None, None), begun).unwrap();
    let later = begun + 100 * BOUND;
    assert!(guard.check_at(NOW + 100 * MOST, later).is_ok());
    let back = seen(Some(NOW), Some(NOW + 100 * MOST));
    assert!(guard.settle_at(NOW + 100 * MOST, back, later).is_ok());
    // A clock that stood still meanwhile is.
    assert!(guard.check_at(NOW + 100 * MOST, later + 2 * BOUND).is_err());
}

/// Of two instances whose clocks differ, the one goes on whose clock an operator confirmed.
#[test]
fn a_clock_that_was_confirmed_elsewhere_ends_the_trust_in_this_one() {
    for off in [2 * MOST, -2 * MOST] {
        let guard = guard();
        guard.settle(NOW, seen(Some(NOW), None)).unwrap();
        let elsewhere = seen(Some(NOW + off), None);
        let gap = guard.settle(NOW, elsewhere).unwrap_err();
        assert_eq!(gap.source, ClockSource::Ledger);
        assert!(guard.settle(NOW, elsewhere).is_err());
        assert!(guard.settle(NOW + off, elsewhere).is_ok());
    }
}

#[test]
fn a_gap_says_what_it_is_from() {
    let gap = |now, source| ClockGap {
        now,
        expected: NOW,
        source,
    };
    let ahead = gap(NOW + 73 * MOST, ClockSource::Database);
    let text = "the clock is 73 hours ahead of the clock of the database server";
    assert_eq!(ahead.to_string(), text);
    let behind = gap(NOW - 73 * MOST, ClockSource::Ledger);
    let text = "the clock is 73 hours behind the time that the ledger saw last";
    assert_eq!(behind.to_string(), text);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever it was told before, no time passes that is away from the last one by more than the bound.
    #[test]
    fn no_step_exceeds_the_bound(steps in prop::collection::vec((-3 * MOST..3 * MOST, any::<bool>()), 1..50)) {
        let (guard, instant) = (guard(), Instant::now());
        guard.settle_at(NOW, seen(None, None), instant).unwrap();
        let mut last = NOW;
        for (step, settles) in steps {
            let now = last + step;
            let passed = match settles {
                true => guard.settle_at(now, seen(Some(last), None), instant),
                false => guard.check_at(now, instant),
            };
            if passed.is_ok() {
                prop_assert!(step.abs() <= MOST, "{step}");
                last = now;
            }
        }
    }
}
