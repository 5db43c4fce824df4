//! The rules of corrections, one by one.

use super::*;
use crate::ledger::book::correction::Correction;
use crate::ledger::book::debt::debt_of;
use crate::ledger::book::properties::check;
use crate::ledger::book::transaction::MOST;

const LATE: i64 = 90 * DAY;

/// A posting that corrects account `n`, under an idempotency key of its own.
pub fn correct(n: u8, id: &str, correction: Correction) -> Posting {
    Posting {
        reason: Reason(15),
        reference: Some(id.to_owned()),
        idempotency: Some(Idempotency {
            key: Key::of(&["correction", id]),
            fingerprint: Key::of(&[&format!("{correction:?}")]),
        }),
        ..posting(account(n), PostingKind::Correct(correction))
    }
}

pub fn adjust(points: i64, claw_back: bool) -> Correction {
    Correction::Adjust {
        points,
        expires_at: LATE,
        claw_back,
    }
}

pub fn reverse(seq: i64, claw_back: bool) -> Correction {
    Correction::Reverse { seq, claw_back }
}

/// Loads an entry of the book for a correction, as a writer does.
pub fn load(book: &mut Book, n: u8, seq: i64) {
    let mut entries = book.changes.entries.iter();
    let found = entries.find(|entry| entry.account == account(n) && entry.seq == seq);
    if let Some(entry) = found {
        let corrected = CorrectedEntry {
            contra: entry.contra,
            lots: entry.lots.clone(),
            order: entry.order,
        };
        book.put_corrected(account(n), seq, corrected);
    }
}

pub fn debt(book: &Book, n: u8) -> i64 {
    let debt = debt_of(&account(n)).unwrap();
    book.account(&debt).map_or(0, |account| account.balance)
}

/// Corrects account 1 at a time (ms), and gives its balance.
fn apply(book: &mut Book, id: &str, correction: Correction, now: i64) -> Result<i64, Rejection> {
    if let Correction::Reverse { seq, .. } | Correction::Reinstate { seq, .. } = correction {
        load(book, 1, seq);
    }
    let done = book.post(&correct(1, id, correction), now);
    check(book);
    done.map(|receipt| {
        assert_eq!(receipt.balance, balance(book));
        receipt.balance
    })
}

/// A book in which account 1 got 40 points that expire on day 10, and 60 that expire on day 30.
fn book() -> Book {
    let mut book = Book::new(EXPIRED);
    book.post(&earn(40, 10 * DAY), DAY).unwrap();
    book.post(&earn(60, 30 * DAY), DAY).unwrap();
    book
}

#[test]
fn an_adjustment_adds_or_takes_down_to_zero() {
    let mut book = book();
    assert_eq!(apply(&mut book, "a", adjust(5, false), DAY), Ok(105));
    assert_eq!(apply(&mut book, "b", adjust(-45, false), DAY), Ok(60));
    assert_eq!(lots(&book), [(30 * DAY, 55), (LATE, 5)]);
    assert_eq!(apply(&mut book, "c", adjust(-70, false), DAY), Ok(0));
    let entries = book.changes.entries.len();
    assert_eq!(apply(&mut book, "d", adjust(-1, false), DAY), Ok(0));
    assert_eq!((book.changes.entries.len(), debt(&book, 1)), (entries, 0));
    // A retry is answered as the first was.
    let again = book
        .post(&correct(1, "b", adjust(-45, false)), DAY)
        .unwrap();
    assert_eq!((again.balance, again.repeated), (60, true));
    for points in [0, i64::MIN, MOST + 1, -MOST - 1] {
        let wrong = apply(&mut book, "e", adjust(points, true), DAY);
        assert_eq!(wrong, Err(Rejection::OutOfRange), "{points}");
    }
}

#[test]
fn later_income_pays_off_what_is_clawed_back() {
    let mut book = book();
    book.post(&spend(30, 1), DAY).unwrap();
    assert_eq!(apply(&mut book, "a", adjust(-100, true), DAY), Ok(0));
    assert_eq!(debt(&book, 1), 30);
    // It takes what comes in by any way, also what an order gives back.
    book.post(&earn(12, 20 * DAY), DAY).unwrap();
    assert_eq!((balance(&book), debt(&book, 1)), (0, 18));
    book.post(&give_back(10, 1), DAY).unwrap();
    assert_eq!((balance(&book), debt(&book, 1)), (0, 8));
    assert_eq!(apply(&mut book, "b", adjust(-2, true), DAY), Ok(0));
    let receipt = book.post(&earn(15, 20 * DAY), DAY).unwrap();
    assert_eq!((receipt.balance, debt(&book, 1)), (5, 0));
    book.post(&earn(1, 20 * DAY), DAY).unwrap();
    assert_eq!(balance(&book), 6);
    check(&book);
    let last = book.changes.entries.iter().rev();
    let paid = last.filter(|entry| entry.account == account(1) && entry.contra == Contra::Adjusted);
    let paid: Vec<_> = paid
        .map(|entry| (entry.amount, entry.reason, entry.reference.as_deref()))
        .collect();
    // The history says which correction they pay.
    let by = |amount, id| (amount, Reason(15), Some(id));
    assert_eq!(
        paid,
        [by(-10, "b"), by(-10, "a"), by(-12, "a"), by(-70, "a")]
    );
}

/// What is due is gone, and pays nothing.
#[test]
fn points_that_expire_pay_no_debt() {
    let mut book = Book::new(EXPIRED);
    assert_eq!(apply(&mut book, "a", adjust(-7, true), DAY), Ok(0));
    book.post(&earn(5, DAY), 2 * DAY).unwrap();
    assert_eq!((balance(&book), debt(&book, 1)), (0, 7));
    check(&book);
    // An account without points has no entry of its own, and the record is found all the same.
    let again = book.post(&correct(1, "a", adjust(-7, true)), DAY).unwrap();
    assert!(again.repeated);
    assert_eq!(debt(&book, 1), 7);
}

#[test]
fn a_reversal_takes_the_entrys_own_lots_once() {
    let mut book = book();
    // The first lot is the one that a spend would take.
    assert_eq!(apply(&mut book, "a", reverse(2, false), DAY), Ok(40));
    assert_eq!(lots(&book), [(10 * DAY, 40)]);
    let again = book.post(&correct(1, "a", reverse(2, false)), DAY).unwrap();
    assert_eq!((again.repeated, balance(&book)), (true, 40));
    // Neither a correction nor an entry that is not there can be reversed.
    for seq in [3, 4, 0, -1] {
        let wrong = apply(&mut book, "b", reverse(seq, true), DAY);
        assert_eq!(wrong, Err(Rejection::NotCorrectable), "{seq}");
    }
}

#[test]
fn what_is_spent_of_the_entry_is_clawed_back_if_the_operator_says_so() {
    let mut book = book();
    book.post(&spend(35, 1), DAY).unwrap();
    assert_eq!(
        apply(&mut book, "a", reverse(1, false), DAY),
        Err(Rejection::Insufficient)
    );
    assert_eq!(apply(&mut book, "a", reverse(1, true), DAY), Ok(25));
    assert_eq!((lots(&book), debt(&book, 1)), (vec![(30 * DAY, 25)], 0));
    assert_eq!(apply(&mut book, "b", reverse(2, true), DAY), Ok(0));
    assert_eq!(debt(&book, 1), 35);
    // What the order gives back pays.
    book.post(&give_back(35, 1), DAY).unwrap();
    assert_eq!((balance(&book), debt(&book, 1)), (0, 0));
    check(&book);
}

#[test]
fn an_entry_whose_points_have_expired_is_not_reversed() {
    let mut book = book();
    let late = 10 * DAY;
    assert_eq!(
        apply(&mut book, "a", reverse(1, true), late),
        Err(Rejection::NotCorrectable)
    );
    book.post(
        &posting(account(1), PostingKind::Expire { due_by: late }),
        late,
    )
    .unwrap();
    assert_eq!(
        apply(&mut book, "a", reverse(1, true), late),
        Err(Rejection::NotCorrectable)
    );
    assert_eq!(balance(&book), 60);
}

#[test]
fn a_reversed_spend_comes_back_once_whichever_way() {
    let mut book = book();
    book.post(&spend(50, 1), DAY).unwrap();
    book.post(&give_back(5, 1), DAY).unwrap();
    assert_eq!(apply(&mut book, "a", reverse(3, false), DAY), Ok(100));
    assert_eq!(lots(&book), [(10 * DAY, 40), (30 * DAY, 60)]);
    assert_eq!(
        book.post(&give_back(1, 1), DAY),
        Err(Rejection::ReturnExceeds)
    );
    // One whose points have all come back has nothing to reverse.
    book.post(&spend(10, 2), DAY).unwrap();
    book.post(&give_back(10, 2), DAY).unwrap();
    assert_eq!(
        apply(&mut book, "b", reverse(6, false), DAY),
        Err(Rejection::NotCorrectable)
    );
    // Of two spends on one order, the last comes back first.
    book.post(&spend(10, 3), DAY).unwrap();
    book.post(&spend(45, 3), DAY).unwrap();
    assert_eq!(
        apply(&mut book, "c", reverse(8, false), DAY),
        Err(Rejection::NotCorrectable)
    );
    assert_eq!(apply(&mut book, "d", reverse(9, false), DAY), Ok(90));
    assert_eq!(apply(&mut book, "c", reverse(8, false), DAY), Ok(100));
    // A spend without an order, and a score that was taken.
    for amount in [20, 90] {
        let taken = posting(account(1), PostingKind::SpendUpTo { amount });
        book.post(&taken, DAY).unwrap();
        let seq = book.account(&account(1)).unwrap().last_seq;
        let id = format!("t{amount}");
        assert_eq!(apply(&mut book, &id, reverse(seq, false), DAY), Ok(100));
    }
    assert_eq!(lots(&book), [(10 * DAY, 40), (30 * DAY, 60)]);
}

#[test]
fn points_that_expired_wrongly_come_back() {
    let mut book = book();
    let reinstate = |seq, expires_at| Correction::Reinstate { seq, expires_at };
    let early = posting(account(1), PostingKind::Expire { due_by: 30 * DAY });
    book.post(&early, 2 * DAY).unwrap();
    assert_eq!(balance(&book), 0);
    assert_eq!(apply(&mut book, "a", reinstate(3, None), 3 * DAY), Ok(40));
    let moved = reinstate(4, Some(LATE));
    assert_eq!(apply(&mut book, "b", moved, 3 * DAY), Ok(100));
    assert_eq!(lots(&book), [(10 * DAY, 40), (LATE, 60)]);
    let again = book.post(&correct(1, "b", moved), DAY).unwrap();
    assert!(again.repeated);
    // They would expire at once, or never expired.
    for wrong in [
        reinstate(4, None),
        reinstate(3, Some(30 * DAY)),
        reinstate(1, Some(LATE)),
    ] {
        let done = apply(&mut book, "c", wrong, 30 * DAY);
        assert_eq!(done, Err(Rejection::NotCorrectable), "{wrong:?}");
    }
}

fn transfer(points: i64, to: u8) -> Transaction {
    let out = Correction::TransferOut { points };
    Transaction {
        postings: vec![
            correct(1, "out", out),
            correct(to, "in", Correction::TransferIn),
        ],
        ..Transaction::default()
    }
}

#[test]
fn a_transfer_moves_points_with_their_lots() {
    let mut book = book();
    book.post(&correct(2, "d", adjust(-5, true)), DAY).unwrap();
    let moved = book.apply(&transfer(50, 2), DAY).unwrap();
    let balances: Vec<i64> = moved.receipts.iter().map(|it| it.balance).collect();
    assert_eq!((balances, debt(&book, 2)), (vec![50, 45], 0));
    let of = |n| book.account(&account(n)).unwrap().lots.iter();
    let of = |n| {
        of(n)
            .map(|lot| (lot.expires_at, lot.remaining))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(1), [(30 * DAY, 50)]);
    // The debt took what expires soonest.
    assert_eq!(of(2), [(10 * DAY, 35), (30 * DAY, 10)]);
    check(&book);
    let again = book.apply(&transfer(50, 2), DAY).unwrap();
    assert!(again.receipts.iter().all(|it| it.repeated && !it.moved));
    let of_coin = ("coin".to_owned(), Contra::Transferred);
    assert_eq!(book.changes.contra_gains[&of_coin].points, 0);
}

#[test]
fn a_transfer_that_cannot_be_is_not_made_by_half() {
    for (points, to, why) in [
        (101, 2, Rejection::Insufficient),
        (0, 2, Rejection::OutOfRange),
        (5, 1, Rejection::NotCorrectable),
    ] {
        let mut book = book();
        assert_eq!(book.apply(&transfer(points, to), DAY), Err(why));
        assert_eq!(balance(&book), 100);
    }
    // No account gets points that no other one gave.
    let mut book = book();
    let mut alone = transfer(5, 2);
    alone.postings.remove(0);
    assert_eq!(book.apply(&alone, DAY), Err(Rejection::NotCorrectable));
    let mut other = transfer(5, 2);
    other.postings[1].account.asset = "diamond".into();
    assert_eq!(book.apply(&other, DAY), Err(Rejection::NotCorrectable));
}

#[test]
fn the_journal_records_what_moved_points() {
    use crate::ledger::book::journal::{CorrectionRecord, JournalEvent, Operator, PendingRecord};
    let mut book = book();
    let noted = |id: &str, points: i64| Transaction {
        pending_record: Some(Box::new(PendingRecord {
            event: JournalEvent::Corrected(CorrectionRecord {
                kind: "adjust",
                owner: "uid:1".into(),
                asset: "coin".into(),
                to: None,
                points: Some(points),
                seq: None,
                claw_back: false,
                id: id.into(),
                reason: "a leak".into(),
            }),
            operator: Operator {
                user: "uid:0".into(),
                request_id: "r".into(),
            },
        })),
        ..Transaction::of(correct(1, id, adjust(points, false)))
    };
    for (id, points) in [("a", 5), ("a", 5), ("b", -200), ("c", -1)] {
        book.apply(&noted(id, points), DAY).unwrap();
    }
    assert_eq!(book.apply(&noted("d", 0), DAY), Err(Rejection::OutOfRange));
    let details: Vec<String> = book
        .changes
        .pending_records
        .iter()
        .map(|record| record.event.details())
        .collect();
    let of = |id: &str, points: i64| {
        format!(
            r#"{{"asset":"coin","id":"{id}","owner":"uid:1","points":{points},"reason":"a leak"}}"#
        )
    };
    assert_eq!(details, [of("a", 5), of("b", -200)]);
}
