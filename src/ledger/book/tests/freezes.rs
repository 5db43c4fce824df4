//! The rules of freezes: what they forbid, and what goes on.

use super::*;
use crate::ledger::book::freeze::FreezeScope;
use FreezeScope::{All, Spending};

/// A book whose member has 100 points in two lots, an order that spent 30 of them, and this freeze.
fn frozen(scope: FreezeScope) -> Book {
    let mut book = Book::new(EXPIRED);
    book.post(&earn(40, 10 * DAY), DAY).unwrap();
    book.post(&earn(90, NEVER), DAY).unwrap();
    book.post(&spend(30, 1), DAY).unwrap();
    book.put_frozen("uid:1".into(), scope);
    book
}

fn take_up_to(amount: i64) -> Posting {
    posting(account(1), PostingKind::SpendUpTo { amount })
}

#[test]
fn spending_alone_or_everything_but_expiry_is_forbidden() {
    let cases = [
        (
            spend(5, 2),
            [Err(Rejection::Frozen), Err(Rejection::Frozen)],
        ),
        (earn(5, NEVER), [Ok(105), Err(Rejection::Frozen)]),
        (take_up_to(700), [Ok(0), Err(Rejection::Frozen)]),
        (give_back(7, 1), [Ok(107), Err(Rejection::Frozen)]),
        (
            posting(account(1), PostingKind::Expire { due_by: 10 * DAY }),
            [Ok(90), Ok(90)],
        ),
    ];
    for (posting, expected) in cases {
        for (scope, expected) in [Spending, All].into_iter().zip(expected) {
            let mut book = frozen(scope);
            let entries = book.changes.entries.len();
            let done = book.post(&posting, DAY).map(|receipt| receipt.balance);
            assert_eq!(done, expected, "{scope:?} {posting:?}");
            let after = (balance(&book), book.changes.entries.len() > entries);
            let unchanged = (100, false);
            let wanted = expected.map_or(unchanged, |balance| (balance, true));
            assert_eq!(after, wanted, "{scope:?} {posting:?}");
        }
    }
}

#[test]
fn a_freeze_holds_for_all_names_and_for_nobody_else() {
    let mut book = frozen(All);
    let by_key = AccountKey {
        owner: "key:a".into(),
        asset: "diamond".into(),
    };
    book.put_identity(by_key.clone(), "uid:1".into());
    let kind = PostingKind::Earn {
        amount: 5,
        expires_at: NEVER,
    };
    let refused = book.post(&posting(by_key, kind), DAY);
    assert_eq!(refused, Err(Rejection::Frozen));
    assert!(book.post(&posting(account(11), kind), DAY).is_ok());
    // One posting to a frozen account keeps a whole transaction from being applied.
    let both = Transaction {
        postings: vec![posting(account(11), kind), earn(5, NEVER)],
        ..Transaction::default()
    };
    let entries = book.changes.entries.len();
    assert_eq!(book.apply(&both, DAY), Err(Rejection::Frozen));
    assert_eq!(book.changes.entries.len(), entries);
}

#[test]
fn a_retry_of_what_was_applied_before_is_answered_as_the_first() {
    let once = |posting: Posting, content: &str| Posting {
        idempotency: Some(Idempotency {
            key: Key::of(&["once"]),
            fingerprint: Key::of(&[content]),
        }),
        ..posting
    };
    for scope in [Spending, All] {
        let mut book = Book::new(EXPIRED);
        book.post(&earn(40, NEVER), DAY).unwrap();
        let first = book.post(&once(spend(30, 1), "30"), DAY).unwrap();
        book.put_frozen("uid:1".into(), scope);
        let again = book.post(&once(spend(30, 1), "30"), DAY).unwrap();
        assert_eq!((again.balance, again.repeated), (first.balance, true));
        let other = book.post(&once(spend(31, 1), "31"), DAY);
        assert_eq!(other, Err(Rejection::IdempotencyConflict));
        assert_eq!(balance(&book), 10);
    }
}

#[test]
fn an_action_is_recorded_and_scores_nothing() {
    let apply = |book: &mut Book, token: &str, owners: &[u8]| {
        let kind = PostingKind::Earn {
            amount: 5,
            expires_at: NEVER,
        };
        let transaction = Transaction {
            nonce: Some(Nonce {
                at: 1,
                key: Key::of(&["nonce", token]),
                fingerprint: None,
            }),
            postings: owners
                .iter()
                .map(|&owner| posting(account(owner), kind))
                .collect(),
            action: Some(Action {
                key: Key::of(&["action", token]),
                token: token.into(),
                owner: "uid:1".into(),
                name: "post".into(),
                other: None,
                object: None,
                limit: None,
            }),
            ..Transaction::default()
        };
        book.apply(&transaction, DAY)
    };
    let mut book = frozen(All);
    for (token, owners) in [("a", &[1][..]), ("b", &[2, 1]), ("c", &[1, 2])] {
        let entries = book.changes.entries.len();
        let applied = apply(&mut book, token, owners).unwrap();
        let scored = applied
            .action
            .map(|action| (action.repeated, action.scored));
        assert_eq!(
            (scored, applied.receipts),
            (Some((false, false)), Vec::new())
        );
        assert_eq!(book.changes.entries.len(), entries, "{token}");
    }
    assert_eq!(
        (book.changes.actions.len(), book.changes.nonces.len()),
        (3, 3)
    );
    // Once the freeze is lifted, new actions score, and a repeat still scores nothing.
    book.frozen.clear();
    let again = Transaction {
        action: Some(book.changes.actions[0].action.clone()),
        postings: vec![earn(5, NEVER)],
        ..Transaction::default()
    };
    let again = book.apply(&again, DAY).unwrap().action;
    assert_eq!(
        again.map(|it| (it.repeated, it.scored)),
        Some((true, false))
    );
    let new = apply(&mut book, "d", &[1]).unwrap();
    assert_eq!(new.receipts[0].balance, 105);
}
