//! The rules of actions: recorded once, and counted up to their limits.

use std::collections::BTreeSet;

use super::*;
use crate::ledger::book::changes::LimitSlot;
use crate::ledger::book::transaction::Limit;

fn action(token: &str, limit: Option<i64>) -> Action {
    Action {
        key: Key::of(&["action", token]),
        token: token.into(),
        owner: "key:a".into(),
        name: "post".into(),
        other: None,
        object: None,
        limit: limit.map(|most| Limit {
            most,
            from: 0,
            until: DAY,
        }),
    }
}

fn apply(book: &mut Book, action: Action, kinds: &[PostingKind]) -> Applied {
    let posting = |&kind| posting(account(1), kind);
    let transaction = Transaction {
        postings: kinds.iter().map(posting).collect(),
        action: Some(action),
        ..Transaction::default()
    };
    book.apply(&transaction, 1).unwrap()
}

/// A new action with these balances, `None` where its posting moved nothing.
fn new(balances: &[(i64, bool)]) -> Applied {
    let receipt = |&(balance, moved)| Receipt {
        balance,
        repeated: false,
        moved,
    };
    Applied {
        receipts: balances.iter().map(receipt).collect(),
        action: Some(ActionReceipt {
            repeated: false,
            scored: !balances.is_empty(),
        }),
    }
}

fn repeat(scored: bool) -> Applied {
    let repeated = true;
    Applied {
        receipts: Vec::new(),
        action: Some(ActionReceipt { repeated, scored }),
    }
}

const FIVE: PostingKind = PostingKind::Earn {
    amount: 5,
    expires_at: NEVER,
};
const LESS_SEVEN: PostingKind = PostingKind::SpendUpTo { amount: 7 };

#[test]
fn an_action_is_recorded_once() {
    let mut book = Book::new(EXPIRED);
    let a = || action("a", None);
    assert_eq!(
        apply(&mut book, a(), &[FIVE, FIVE]),
        new(&[(5, true), (10, true)])
    );
    // Whatever comes under its key.
    assert_eq!(apply(&mut book, a(), &[FIVE]), repeat(true));
    assert_eq!(apply(&mut book, a(), &[]), repeat(true));
    let spend = |book: &mut Book, token| apply(book, action(token, None), &[LESS_SEVEN]);
    assert_eq!(spend(&mut book, "b"), new(&[(3, true)]));
    assert_eq!(spend(&mut book, "c"), new(&[(0, true)]));
    assert_eq!(spend(&mut book, "d"), new(&[(0, false)]));
    assert_eq!(apply(&mut book, action("e", None), &[]), new(&[]));
    assert_eq!(apply(&mut book, action("e", None), &[FIVE]), repeat(false));
    for (token, scored) in [("f", true), ("g", false)] {
        let recorded = action(token, None);
        book.put_recorded_action(recorded.key, recorded.identity(), scored);
        let again = apply(&mut book, action(token, None), &[FIVE]);
        assert_eq!(again, repeat(scored));
    }
    let changes = book.into_changes();
    assert_eq!(changes.entries.len(), 4);
    let recorded: Vec<_> = changes
        .actions
        .iter()
        .map(|row| (&*row.action.token, row.scored))
        .collect();
    assert_eq!(
        recorded,
        [
            ("a", true),
            ("b", true),
            ("c", true),
            ("d", true),
            ("e", false)
        ]
    );
}

/// The sender's tokens can collide, and the ledger of an older program has a token in one row alone.
#[test]
fn another_action_may_have_the_same_token() {
    let mut book = Book::new(EXPIRED);
    let others = || {
        let mut others = [(); 5].map(|()| action("a", None));
        others[1].owner = "key:b".into();
        others[2].name = "like".into();
        others[3].other = Some("key:c".into());
        others[4].object = Some("5".into());
        others
    };
    for (other, points) in others().into_iter().zip(1..) {
        assert_eq!(apply(&mut book, other, &[FIVE]), new(&[(5 * points, true)]));
    }
    for other in others() {
        assert_eq!(apply(&mut book, other, &[FIVE]), repeat(true));
    }
    let rows = book.into_changes().actions;
    let keys: BTreeSet<Key> = rows.iter().map(|row| row.key).collect();
    assert_eq!((rows.len(), keys.len()), (5, 5));
    assert_eq!(rows[0].key, Key::of(&["action", "a"]));
}

#[test]
fn beyond_its_limit_an_action_moves_nothing() {
    let mut book = Book::new(EXPIRED);
    let limit = LimitKey::of(&action("", Some(1))).unwrap().0;
    book.put_limit_count(limit, 1);
    let earn = |book: &mut Book, token| apply(book, action(token, Some(3)), &[FIVE]);
    assert_eq!(earn(&mut book, "a"), new(&[(5, true)]));
    assert_eq!(earn(&mut book, "a"), repeat(true));
    assert_eq!(earn(&mut book, "b"), new(&[(10, true)]));
    assert_eq!(earn(&mut book, "c"), new(&[]));
    assert_eq!(earn(&mut book, "c"), repeat(false));
    assert_eq!(balance(&book), 10);
    // Another name, or another day, is counted by itself.
    let mut other = action("d", Some(1));
    other.name = "like".into();
    assert_eq!(apply(&mut book, other, &[FIVE]), new(&[(15, true)]));
    let mut later = action("e", Some(1));
    later.limit = Some(Limit {
        most: 1,
        from: DAY,
        until: 2 * DAY,
    });
    assert_eq!(apply(&mut book, later, &[FIVE]), new(&[(20, true)]));
    let actions = book.into_changes().actions;
    assert_eq!(actions.iter().filter(|row| row.scored).count(), 4);
}

#[test]
fn an_action_that_moves_nothing_does_not_count_towards_its_limit() {
    let mut book = Book::new(EXPIRED);
    assert_eq!(apply(&mut book, action("a", Some(1)), &[]), new(&[]));
    assert_eq!(
        apply(&mut book, action("b", Some(1)), &[FIVE]),
        new(&[(5, true)])
    );
    assert_eq!(apply(&mut book, action("c", Some(1)), &[FIVE]), new(&[]));
}

#[test]
fn each_action_within_a_limit_takes_the_next_slot() {
    let slots = |known: i64, tokens: &[&str], now: i64| -> Vec<LimitSlot> {
        let mut book = Book::new(EXPIRED);
        let (limit, _) = LimitKey::of(&action("a", Some(3))).unwrap();
        book.put_limit_count(limit, known);
        for token in tokens {
            let transaction = Transaction {
                postings: vec![posting(account(1), FIVE)],
                action: Some(action(token, Some(3))),
                ..Transaction::default()
            };
            book.apply(&transaction, now).unwrap();
        }
        book.into_changes().limit_slots
    };
    let all = slots(0, &["a", "b", "c"], 1);
    // A writer that counts again takes the same slot, under whatever token.
    assert_eq!(slots(1, &["d", "e"], 1), all[1..]);
    assert_eq!(slots(3, &["f"], 1), []);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3);
    // Outside the window it takes nobody's slot.
    assert_eq!(slots(0, &["a"], DAY), []);
}
