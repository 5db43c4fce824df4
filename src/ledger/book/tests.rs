//! The rules of the book, one by one.

mod actions;
mod corrections;
mod corrections_in_any_order;
mod freezes;
mod payments;

use super::*;
use crate::ledger::book::entry::Contra;
use crate::ledger::book::transaction::{Idempotency, NEVER, PostingKind};

pub const DAY: i64 = 86_400_000;

/// The reason of entries that expire points; no posting here has it.
pub const EXPIRED: Reason = Reason(99);

pub fn account(n: u8) -> AccountKey {
    AccountKey {
        owner: format!("uid:{n}"),
        asset: "coin".into(),
    }
}

pub fn order(n: u8) -> Key {
    Key::of(&["order", &n.to_string()])
}

pub fn posting(account: AccountKey, kind: PostingKind) -> Posting {
    Posting {
        account,
        kind,
        reason: Reason(18),
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    }
}

pub fn earn(amount: i64, expires_at: i64) -> Posting {
    posting(account(1), PostingKind::Earn { amount, expires_at })
}

pub fn spend(amount: i64, n: u8) -> Posting {
    posting(
        account(1),
        PostingKind::Spend {
            amount,
            order: Some(order(n)),
        },
    )
}

pub fn give_back(amount: i64, n: u8) -> Posting {
    posting(
        account(1),
        PostingKind::Return {
            amount,
            order: order(n),
        },
    )
}

pub fn balance(book: &Book) -> i64 {
    book.account(&account(1))
        .map_or(0, |account| account.balance)
}

fn lots(book: &Book) -> Vec<(i64, i64)> {
    let lots = book
        .account(&account(1))
        .map_or(&[][..], |account| &account.lots);
    lots.iter()
        .map(|lot| (lot.expires_at, lot.remaining))
        .collect()
}

#[test]
fn a_spend_takes_what_expires_soonest_and_a_return_gives_it_back() {
    let mut book = Book::new(EXPIRED);
    for (amount, expires_at) in [(10, 30 * DAY), (10, 10 * DAY), (10, NEVER), (10, 20 * DAY)] {
        book.post(&earn(amount, expires_at), DAY).unwrap();
    }
    book.post(&spend(25, 1), DAY).unwrap();
    assert_eq!(lots(&book), [(30 * DAY, 5), (NEVER, 10)]);
    assert_eq!(
        book.post(&give_back(26, 1), DAY),
        Err(Rejection::ReturnExceeds)
    );
    book.post(&give_back(7, 1), DAY).unwrap();
    assert_eq!(
        lots(&book),
        [(20 * DAY, 2), (30 * DAY, 10), (NEVER, 10)],
        "the latest first"
    );
    book.post(&give_back(18, 1), DAY).unwrap();
    assert_eq!(
        lots(&book),
        [(10 * DAY, 10), (20 * DAY, 10), (30 * DAY, 10), (NEVER, 10)]
    );
    assert_eq!(
        book.post(&give_back(1, 1), DAY),
        Err(Rejection::ReturnExceeds)
    );
    assert_eq!(
        book.post(&give_back(1, 2), DAY),
        Err(Rejection::NothingSpent)
    );
}

#[test]
fn a_rejection_changes_nothing_not_even_what_is_due() {
    let mut book = Book::new(EXPIRED);
    book.post(&earn(10, 2 * DAY), DAY).unwrap();
    let before = book.account(&account(1)).cloned();
    for rejected in [
        spend(1, 1),
        spend(0, 1),
        spend(-5, 1),
        earn(0, NEVER),
        earn(-1, NEVER),
        give_back(1, 1),
    ] {
        assert!(book.post(&rejected, 3 * DAY).is_err());
        assert_eq!(book.account(&account(1)).cloned(), before);
    }
    assert_eq!(
        book.post(&earn(i64::MAX, NEVER), DAY),
        Err(Rejection::OutOfRange)
    );
    assert_eq!(book.account(&account(1)).cloned(), before);
    assert_eq!(book.into_changes().entries.len(), 1);
}

#[test]
fn due_lots_expire_in_the_next_transaction_that_touches_them() {
    let mut book = Book::new(EXPIRED);
    book.post(&earn(10, 2 * DAY), DAY).unwrap();
    book.post(&earn(5, 9 * DAY), DAY).unwrap();
    book.post(&spend(4, 1), DAY).unwrap();
    assert_eq!(book.post(&spend(5, 2), 2 * DAY).unwrap().balance, 0);
    // Points that go back into a lot that is due expire at once; both entries stand.
    assert_eq!(book.post(&give_back(4, 1), 3 * DAY).unwrap().balance, 0);
    let rows: Vec<_> = book
        .into_changes()
        .entries
        .iter()
        .map(|entry| (entry.amount, entry.reason.0, entry.at, entry.contra))
        .collect();
    let expired_at = 2 * DAY - 1000;
    assert_eq!(
        rows,
        [
            (10, 18, DAY, Contra::Issued),
            (5, 18, DAY, Contra::Issued),
            (-4, 18, DAY, Contra::Redeemed),
            (-6, 99, expired_at, Contra::Expired),
            (-5, 18, 2 * DAY, Contra::Redeemed),
            (4, 18, 3 * DAY, Contra::Redeemed),
            (-4, 99, 3 * DAY, Contra::Expired),
        ]
    );
}

#[test]
fn only_the_last_state_of_a_lot_is_saved() {
    let lot = |days: i64, remaining: i64| Lot {
        expires_at: days * DAY,
        remaining,
    };
    let mut book = Book::new(EXPIRED);
    let lots = vec![lot(5, 10), lot(6, 10), lot(7, 10), lot(8, 10)];
    let stored = Account {
        balance: 40,
        lots,
        ..Account::default()
    };
    book.put_account(account(1), stored);
    for posting in [
        spend(35, 1),
        // The first lot gets points again before anything is saved, the second stays empty, the third stays as it was.
        earn(3, 5 * DAY),
        earn(10, 7 * DAY),
        // A new lot that does not last, and one that does.
        earn(1, DAY),
        earn(4, 9 * DAY),
    ] {
        book.post(&posting, 2 * DAY).unwrap();
    }
    let changes = book.into_changes();
    assert_eq!(changes.opened_lots, [(account(1), lot(9, 4))]);
    assert_eq!(
        changes.changed_lots,
        [(account(1), lot(5, 3)), (account(1), lot(8, 5))]
    );
    assert_eq!(changes.emptied_lots, [(account(1), 6 * DAY)]);
}

#[test]
fn a_retry_is_answered_as_the_first_was() {
    let mut book = Book::new(EXPIRED);
    let idempotency = |content: &str| {
        Some(Idempotency {
            key: Key::of(&["r"]),
            fingerprint: Key::of(&[content]),
        })
    };
    let first = Posting {
        idempotency: idempotency("10"),
        ..earn(10, NEVER)
    };
    assert_eq!(
        book.post(&first, DAY),
        Ok(Receipt {
            balance: 10,
            repeated: false,
            moved: true
        })
    );
    book.post(&earn(5, NEVER), DAY).unwrap();
    assert_eq!(
        book.post(&first, 99 * DAY),
        Ok(Receipt {
            balance: 10,
            repeated: true,
            moved: false
        })
    );
    let other = Posting {
        idempotency: idempotency("11"),
        ..earn(11, NEVER)
    };
    assert_eq!(book.post(&other, DAY), Err(Rejection::IdempotencyConflict));
    assert_eq!(balance(&book), 15);
}

#[test]
fn a_rejected_posting_leaves_its_idempotency_key_free() {
    let mut book = Book::new(EXPIRED);
    let idempotency = Some(Idempotency {
        key: Key::of(&["o"]),
        fingerprint: Key::of(&["10"]),
    });
    let buy = Posting {
        idempotency,
        ..spend(10, 1)
    };
    assert_eq!(book.post(&buy, DAY), Err(Rejection::Insufficient));
    book.post(&earn(10, NEVER), DAY).unwrap();
    assert_eq!(
        book.post(&buy, DAY),
        Ok(Receipt {
            balance: 0,
            repeated: false,
            moved: true
        })
    );
}

#[test]
fn the_same_content_may_use_its_nonce_again() {
    let with = |fingerprint: Option<&str>| Transaction {
        nonce: Some(Nonce {
            at: DAY,
            key: Key::of(&["n"]),
            fingerprint: fingerprint.map(|content| Key::of(&[content])),
        }),
        ..Transaction::default()
    };
    let mut book = Book::new(EXPIRED);
    for _ in 0..2 {
        assert_eq!(book.apply(&with(Some("a")), 0), Ok(Applied::default()));
    }
    for other in [with(Some("b")), with(None)] {
        assert_eq!(book.apply(&other, 0), Err(Rejection::NonceSpent));
    }
    assert!(
        with(Some("a"))
            .nonce
            .is_some_and(|nonce| book.into_changes().nonces == [nonce])
    );
    let mut book = Book::new(EXPIRED);
    book.apply(&with(None), 0).unwrap();
    assert_eq!(book.apply(&with(Some("a")), 0), Err(Rejection::NonceSpent));
}

/// A message that comes again after midnight has another key of the day, and is the same message.
#[test]
fn a_retry_under_its_nonce_changes_nothing() {
    let with = |nonce: &str, key: &str, amount: i64| {
        let posting = Posting {
            idempotency: Some(Idempotency {
                key: Key::of(&[key]),
                fingerprint: Key::of(&[&amount.to_string()]),
            }),
            ..earn(amount, 5 * DAY)
        };
        Transaction {
            nonce: Some(Nonce {
                at: NEVER,
                key: Key::of(&[nonce]),
                fingerprint: Some(Key::of(&["content"])),
            }),
            ..Transaction::of(posting)
        }
    };
    let mut book = Book::new(EXPIRED);
    let mut apply = |transaction: Transaction, now: i64| {
        let applied = book.apply(&transaction, now)?;
        Ok((applied.receipts[0].balance, applied.receipts[0].repeated))
    };
    assert_eq!(apply(with("m1", "monday", 5), 0), Ok((5, false)));
    assert_eq!(apply(with("m2", "other", 2), 0), Ok((7, false)));
    assert_eq!(apply(with("m1", "monday", 5), DAY), Ok((5, true)));
    assert_eq!(apply(with("m1", "tuesday", 5), DAY), Ok((7, true)));
    assert_eq!(apply(with("m1", "tuesday", 5), 5 * DAY), Ok((0, true)));
    let conflict = Err(Rejection::IdempotencyConflict);
    assert_eq!(apply(with("m1", "monday", 6), DAY), conflict);
    assert_eq!(apply(with("m3", "tuesday", 5), DAY), Ok((12, false)));
    assert_eq!(book.into_changes().entries.len(), 3);
}

#[test]
fn only_an_applied_transaction_spends_its_nonce() {
    let nonce = |n: &str| Nonce {
        at: DAY,
        key: Key::of(&[n]),
        fingerprint: None,
    };
    let transaction = |n: &str, posting: Option<Posting>| Transaction {
        nonce: Some(nonce(n)),
        postings: Vec::from_iter(posting),
        ..Transaction::default()
    };
    let mut book = Book::new(EXPIRED);
    assert_eq!(
        book.apply(&transaction("a", Some(spend(1, 1))), 0),
        Err(Rejection::Insufficient)
    );
    let applied = book
        .apply(&transaction("a", Some(earn(5, NEVER))), 0)
        .unwrap();
    assert_eq!(applied.receipts[0].balance, 5);
    assert_eq!(
        book.apply(&transaction("a", Some(earn(5, NEVER))), 0),
        Err(Rejection::NonceSpent)
    );
    assert_eq!(
        book.apply(&transaction("b", None), 0),
        Ok(Applied::default())
    );
    assert_eq!(
        book.apply(&transaction("b", None), 0),
        Err(Rejection::NonceSpent)
    );
    book.put_spent_nonce(nonce("c"));
    assert_eq!(
        book.apply(&transaction("c", None), 0),
        Err(Rejection::NonceSpent)
    );
    let later = Transaction {
        nonce: Some(Nonce {
            at: DAY + 1,
            ..nonce("a")
        }),
        ..Transaction::default()
    };
    assert_eq!(
        book.apply(&later, 0),
        Ok(Applied::default()),
        "another time, another nonce"
    );
    assert_eq!(balance(&book), 5);
    let spent = book.into_changes().nonces;
    assert_eq!(spent.len(), 3, "what was put in is not written again");
}

#[test]
fn two_names_lead_to_one_account() {
    let mut book = Book::new(EXPIRED);
    let mut by_key = earn(5, NEVER);
    by_key.account.owner = "key:a".into();
    book.put_identity(by_key.account.clone(), account(1).owner);
    book.post(&by_key, DAY).unwrap();
    assert_eq!(book.post(&earn(5, NEVER), DAY).unwrap().balance, 10);
    let owners: Vec<_> = book
        .into_changes()
        .entries
        .into_iter()
        .map(|entry| entry.account)
        .collect();
    assert_eq!(owners, [account(1), account(1)]);
}
