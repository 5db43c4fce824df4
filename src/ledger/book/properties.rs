//! Properties that hold for the book after any postings in any order.

use proptest::prelude::*;

use super::tests::*;
use super::*;
use crate::ledger::book::entry::Hash;
use crate::ledger::book::replay::Replay;
use crate::ledger::book::transaction::{Gain, Idempotency, NEVER, PostingKind};

/// A posting to one of three accounts, and the days that pass before it.
#[derive(Clone, Debug)]
pub(super) struct DatedPosting {
    pub posting: Posting,
    pub days: i64,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<DatedPosting>> {
    let kind = prop_oneof![
        (1..100_i64, prop_oneof![2..40_i64, Just(i64::MAX / DAY)]).prop_map(|(amount, days)| {
            PostingKind::Earn {
                amount,
                expires_at: days * DAY,
            }
        }),
        (1..150_i64, 0..4_u8).prop_map(|(amount, n)| PostingKind::Spend {
            amount,
            order: Some(order(n))
        }),
        (1..80_i64).prop_map(|amount| PostingKind::Spend {
            amount,
            order: None
        }),
        (1..60_i64, 0..4_u8).prop_map(|(amount, n)| PostingKind::Return {
            amount,
            order: order(n)
        }),
        (1..150_i64).prop_map(|amount| PostingKind::SpendUpTo { amount }),
        (0..50_i64).prop_map(|days| PostingKind::Expire { due_by: days * DAY }),
        prop_oneof![Just(0_i64), Just(-3), Just(i64::MAX)].prop_map(|amount| PostingKind::Earn {
            amount,
            expires_at: NEVER
        }),
    ];
    let idempotency = proptest::option::of((0..6_u8, 0..2_u8));
    let step = (0..3_u8, kind, idempotency, 0..3_i64).prop_map(|(n, kind, idempotency, days)| {
        let kind = match kind {
            // An order belongs to an account, so that its key names it.
            PostingKind::Spend {
                amount,
                order: Some(key),
            } => PostingKind::Spend {
                amount,
                order: Some(of_account(n, key)),
            },
            PostingKind::Return { amount, order } => PostingKind::Return {
                amount,
                order: of_account(n, order),
            },
            other => other,
        };
        // Nobody retries an expiry, and actions have a key of their own.
        let has_no_key = matches!(
            kind,
            PostingKind::Expire { .. } | PostingKind::SpendUpTo { .. }
        );
        let idempotency = idempotency.filter(|_| !has_no_key);
        let idempotency = idempotency.map(|(key, content)| Idempotency {
            key: Key::of(&["once", &n.to_string(), &key.to_string()]),
            fingerprint: Key::of(&[&content.to_string()]),
        });
        DatedPosting {
            posting: Posting {
                idempotency,
                ..posting(account(n), kind)
            },
            days,
        }
    });
    proptest::collection::vec(step, 1..80)
}

fn of_account(n: u8, order: Key) -> Key {
    Key::of(&[&n.to_string(), &format!("{order:?}")])
}

/// Checks the ledger's invariants.
pub(super) fn check(book: &Book) {
    let mut all = 0;
    for (key, account) in &book.accounts {
        assert!(account.balance >= 0, "{key:?} is below zero");
        let held: i64 = account.lots.iter().map(|lot| lot.remaining).sum();
        assert_eq!(held, account.balance, "{key:?}: sum of lots");
        assert!(
            account.lots.iter().all(|lot| lot.remaining > 0),
            "{key:?}: an empty lot"
        );
        assert!(
            account
                .lots
                .is_sorted_by(|a, b| a.expires_at < b.expires_at)
        );
        all += account.balance;
    }
    let contras: i64 = book.changes.contra_gains.values().map(|it| it.points).sum();
    assert_eq!(all + contras, 0, "both sides");
    for allocations in book.allocations.values() {
        assert!(
            allocations
                .iter()
                .all(|it| (0..=it.drawn).contains(&it.returned))
        );
    }
    for (key, account) in &book.accounts {
        let entries: Vec<_> = book
            .changes
            .entries
            .iter()
            .filter(|e| e.account == *key)
            .collect();
        let mut head = Hash::default();
        let (mut balance, mut at) = (0, i64::MIN);
        for (entry, seq) in entries.iter().zip(1..) {
            balance += entry.amount;
            assert_eq!((entry.seq, entry.balance_after), (seq, balance));
            assert!(entry.at >= at, "entries go back in time");
            assert_eq!(entry.hash, entry.hash_after(&head));
            (head, at) = (entry.hash, entry.at);
        }
        assert_eq!((account.balance, account.head), (balance, head));
        assert_eq!(account.last_seq, entries.len() as i64);
        let mut replay = Replay::default();
        for entry in entries {
            replay.add(entry).unwrap();
        }
        assert_eq!(replay.account(), account, "replay");
        assert!(replay.unknown_orders().is_empty(), "{replay:?}");
    }
}

/// Whether a posting spends on an order that has had points back.
fn was_returned(book: &Book, posting: &Posting) -> bool {
    let PostingKind::Spend {
        order: Some(order), ..
    } = posting.kind
    else {
        return false;
    };
    let allocations = book.allocations.get(&order).into_iter().flatten();
    allocations.map(|it| it.returned).sum::<i64>() > 0
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_books_balance_after_any_order_of_any_postings(steps in steps()) {
        let mut book = Book::new(EXPIRED);
        let mut now = DAY;
        for step in &steps {
            now += step.days * DAY;
            let before = (book.accounts.clone(), book.allocations.clone(), book.changes.entries.len());
            match book.post(&step.posting, now) {
                Ok(receipt) => prop_assert!(receipt.balance >= 0),
                Err(_) => prop_assert_eq!(
                    before,
                    (book.accounts.clone(), book.allocations.clone(), book.changes.entries.len())
                ),
            }
            check(&book);
        }
    }

    #[test]
    fn a_retry_is_the_identity(steps in steps()) {
        let mut book = Book::new(EXPIRED);
        for step in steps.iter().filter(|step| step.posting.idempotency.is_some()) {
            let Ok(first) = book.post(&step.posting, DAY) else { continue };
            let before = (book.accounts.clone(), book.allocations.clone(), book.changes.entries.len());
            let again = book.post(&step.posting, 2 * DAY);
            // What was spent on an order that has had points back may be unpaid by now.
            let expected = match was_returned(&book, &step.posting) {
                true => Err(Rejection::IdempotencyConflict),
                false => Ok(Receipt { repeated: true, moved: false, ..first }),
            };
            prop_assert_eq!(again, expected);
            prop_assert_eq!(before, (book.accounts.clone(), book.allocations.clone(), book.changes.entries.len()));
        }
    }

    /// A transaction of several postings gives what they give one by one, or nothing at all.
    #[test]
    fn a_transaction_is_applied_entirely_or_not_at_all(steps in steps(), size in 1..5_usize) {
        let mut book = Book::new(EXPIRED);
        for (at, chunk) in steps.chunks(size).enumerate() {
            let now = DAY * (1 + at as i64);
            let postings: Vec<Posting> = chunk.iter().map(|step| step.posting.clone()).collect();
            let mut one_by_one = Book {
                accounts: book.accounts.clone(),
                idempotency: book.idempotency.clone(),
                allocations: book.allocations.clone(),
                ..Book::new(EXPIRED)
            };
            let before = book.accounts.clone();
            let entries = book.changes.entries.len();
            let receipts: Result<Vec<Receipt>, Rejection> =
                postings.iter().map(|posting| one_by_one.post(posting, now)).collect();
            let transaction = Transaction { postings, ..Transaction::default() };
            let applied = book.apply(&transaction, now).map(|applied| applied.receipts);
            prop_assert_eq!(&applied, &receipts);
            if applied.is_ok() {
                prop_assert_eq!(&book.accounts, &one_by_one.accounts);
                prop_assert_eq!(&book.allocations, &one_by_one.allocations);
                prop_assert_eq!(&book.changes.entries[entries..], &one_by_one.changes.entries);
            } else {
                prop_assert_eq!(&book.accounts, &before);
                prop_assert_eq!(book.changes.entries.len(), entries);
            }
            check(&book);
        }
    }

    /// No number of returns gives back more than was spent.
    #[test]
    fn returns_give_back_at_most_what_was_spent(
        amounts in proptest::collection::vec(1..40_i64, 1..20),
        spent in 1..200_i64,
    ) {
        let mut book = Book::new(EXPIRED);
        book.post(&earn(1000, NEVER), DAY).unwrap();
        book.post(&spend(spent, 1), DAY).unwrap();
        let back: i64 = amounts
            .iter()
            .filter(|&&amount| book.post(&give_back(amount, 1), DAY).is_ok())
            .sum();
        prop_assert!(back <= spent);
        prop_assert_eq!(balance(&book), 1000 - spent + back);
        let left = spent - back;
        prop_assert!(left == 0 || book.post(&give_back(left, 1), DAY).is_ok());
        prop_assert!(book.post(&give_back(1, 1), DAY).is_err());
    }

    /// Spends of different sizes take a gain back in parts, and no more than it brought; one of the same size is a retry.
    #[test]
    fn parts_take_back_what_was_gained_and_no_more(
        parts in proptest::collection::vec(1..40_i64, 1..20),
        gained in 1..200_i64,
    ) {
        let mut book = Book::new(EXPIRED);
        book.post(&earn(1000, NEVER), DAY).unwrap();
        let once = |key: &[&str], amount: i64| Idempotency {
            key: Key::of(key),
            fingerprint: Key::of(&[&amount.to_string()]),
        };
        let gain = Posting { idempotency: Some(once(&["add"], gained)), ..earn(gained, NEVER) };
        book.post(&gain, DAY).unwrap();
        for &amount in &parts {
            let part = Posting {
                idempotency: Some(once(&["reduce"], amount)),
                requires: Some(Gain {
                    key: Key::of(&["add"]),
                    further: Key::of(&["reduce", &amount.to_string()]),
                }),
                ..posting(account(1), PostingKind::Spend { amount, order: None })
            };
            match book.post(&part, DAY) {
                Ok(_) | Err(Rejection::RequirementMissing) => {}
                other => prop_assert!(false, "{:?}", other),
            }
        }
        let sizes: std::collections::BTreeSet<i64> = parts.into_iter().collect();
        let taken = gained.min(sizes.iter().sum());
        prop_assert_eq!(balance(&book), 1000 + gained - taken);
        check(&book);
    }

    /// Postings give the same in one batch and in several, each loaded from what the one before saved.
    #[test]
    fn batches_of_any_size_give_the_same(steps in steps(), size in 1..7_usize) {
        let mut whole = Book::new(EXPIRED);
        let mut now = DAY;
        let mut answers = Vec::new();
        for step in &steps {
            now += step.days * DAY;
            answers.push(whole.post(&step.posting, now));
        }
        let mut disk = Book::new(EXPIRED);
        let (mut now, mut entries, mut again) = (DAY, Vec::new(), Vec::new());
        for batch in steps.chunks(size) {
            for step in batch {
                now += step.days * DAY;
                again.push(disk.post(&step.posting, now));
            }
            let Book { accounts, idempotency, allocations, changes, .. } = disk;
            entries.extend(changes.entries);
            disk = Book { accounts, idempotency, allocations, ..Book::new(EXPIRED) };
        }
        prop_assert_eq!(answers, again);
        prop_assert_eq!(&whole.changes.entries, &entries);
        prop_assert_eq!(whole.accounts, disk.accounts);
    }
}
