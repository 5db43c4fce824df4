//! Properties of corrections among other postings.

use proptest::prelude::*;

use super::corrections::{adjust, correct, debt, load, reverse};
use super::*;
use crate::ledger::book::correction::Correction;
use crate::ledger::book::debt::is_debt;
use crate::ledger::book::properties::{check, steps};

/// A correction of one of three accounts.
#[derive(Clone, Debug)]
enum Correcting {
    One(u8, Correction),
    Transfer(u8, u8, i64),
}

fn correcting() -> impl Strategy<Value = Correcting> {
    let seq = || 1..30_i64;
    let one = prop_oneof![
        (-150..150_i64, any::<bool>()).prop_map(|(points, owes)| adjust(points, owes)),
        (seq(), any::<bool>()).prop_map(|(seq, owes)| reverse(seq, owes)),
        (seq(), proptest::option::of(2..60_i64)).prop_map(|(seq, days)| Correction::Reinstate {
            seq,
            expires_at: days.map(|days| days * DAY),
        }),
    ];
    prop_oneof![
        4 => (0..3_u8, one).prop_map(|(n, correction)| Correcting::One(n, correction)),
        1 => (0..3_u8, 0..3_u8, 1..90_i64).prop_map(|(from, to, points)| Correcting::Transfer(from, to, points)),
    ]
}

/// The entry that a correction names, which is the id of its idempotency key.
fn id(n: u8, correction: Correction, number: usize) -> String {
    match correction {
        Correction::Reverse { seq, .. } => format!("reverse {n} {seq}"),
        Correction::Reinstate { seq, .. } => format!("reinstate {n} {seq}"),
        _ => format!("{number}"),
    }
}

fn transaction(correcting: &Correcting, number: usize) -> Transaction {
    let postings = match *correcting {
        Correcting::One(n, correction) => vec![correct(n, &id(n, correction, number), correction)],
        Correcting::Transfer(from, to, points) => vec![
            correct(
                from,
                &format!("out {number}"),
                Correction::TransferOut { points },
            ),
            correct(to, &format!("in {number}"), Correction::TransferIn),
        ],
    };
    Transaction {
        postings,
        ..Transaction::default()
    }
}

/// The points of all members, and what they owe.
fn net(book: &Book) -> (i64, i64) {
    let sum = |owed: bool| {
        let of = book
            .accounts
            .iter()
            .filter(|(key, _)| is_debt(&key.asset) == owed);
        of.map(|(_, account)| account.balance).sum()
    };
    (sum(false), sum(true))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever is corrected in whatever order: the books balance, a replay gives every account and every debt, who owes holds nothing,
    /// a refused correction changes nothing, and no entry is corrected twice.
    #[test]
    fn the_books_balance_after_any_corrections(
        steps in steps(),
        corrections in proptest::collection::vec(correcting(), 1..40),
    ) {
        let mut book = Book::new(EXPIRED);
        let mut now = DAY;
        let mut corrections = corrections.iter().enumerate();
        for step in &steps {
            now += step.days * DAY;
            let _ = book.post(&step.posting, now);
            let Some((number, correcting)) = corrections.next() else { continue };
            if let Correcting::One(n, Correction::Reverse { seq, .. } | Correction::Reinstate { seq, .. }) = correcting {
                load(&mut book, *n, *seq);
            }
            let before = (book.accounts.clone(), book.changes.entries.len());
            let expired = book.changes.contra_gains.get(&("coin".to_owned(), Contra::Expired)).map_or(0, |it| it.points);
            let points = net(&book);
            let done = book.apply(&transaction(correcting, number), now);
            let after = net(&book);
            match (&done, correcting) {
                (Err(_), _) => prop_assert_eq!(&before, &(book.accounts.clone(), book.changes.entries.len())),
                // Points only change hands, but for those that were due or pay a debt.
                (Ok(_), Correcting::Transfer(..)) => {
                    let gone = book.changes.contra_gains.get(&("coin".to_owned(), Contra::Expired)).map_or(0, |it| it.points) - expired;
                    prop_assert_eq!(points.0 - points.1 - gone, after.0 - after.1);
                }
                (Ok(_), Correcting::One(..)) => {}
            }
            check(&book);
            for n in 0..3 {
                let held = book.account(&account(n)).map_or(0, |account| account.balance);
                prop_assert!(debt(&book, n) == 0 || held == 0, "{} owes {} and holds {}", n, debt(&book, n), held);
            }
            let again = book.apply(&transaction(correcting, number), now);
            if let (Ok(first), Ok(again)) = (&done, &again)
                && first.receipts.iter().any(|it| it.moved)
            {
                prop_assert!(again.receipts.iter().all(|it| it.repeated));
                check(&book);
            }
        }
        let entries = book.changes.entries.iter().filter_map(|entry| entry.idempotency);
        let mut keys: Vec<Key> = entries.map(|record| record.key).collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(all, keys.len());
    }

    /// Corrections give the same in one batch and in several, each loaded from what the one before saved.
    #[test]
    fn batches_of_any_size_correct_alike(
        steps in steps(),
        corrections in proptest::collection::vec(correcting(), 1..40),
        size in 1..7_usize,
    ) {
        let run = |size: usize| {
            let mut book = Book::new(EXPIRED);
            let (mut now, mut all, mut answers) = (DAY, Vec::new(), Vec::new());
            for (number, (step, correcting)) in steps.iter().zip(&corrections).enumerate() {
                now += step.days * DAY;
                answers.push(book.post(&step.posting, now));
                if let Correcting::One(n, Correction::Reverse { seq, .. } | Correction::Reinstate { seq, .. }) = correcting {
                    let entries = std::mem::take(&mut book.changes.entries);
                    all.extend(entries);
                    book.changes.entries.clone_from(&all);
                    load(&mut book, *n, *seq);
                    book.changes.entries.clear();
                }
                let done = book.apply(&transaction(correcting, number), now);
                answers.extend(done.map(|it| it.receipts).unwrap_or_default().into_iter().map(Ok));
                if number % size == 0 {
                    let Book { accounts, idempotency, allocations, debts, changes, .. } = book;
                    all.extend(changes.entries);
                    book = Book { accounts, idempotency, allocations, debts, ..Book::new(EXPIRED) };
                }
            }
            all.extend(std::mem::take(&mut book.changes.entries));
            (answers, all, book.accounts)
        };
        prop_assert_eq!(run(usize::MAX), run(size));
    }
}
