//! The rules of actions: answered once, and counted up to their limits.

use std::collections::BTreeSet;

use super::*;
use crate::ledger::book::transaction::Limit;

fn action(token: &str, limit: Option<i64>) -> Action {
    Action {
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
        answer: Arc::new(|balances| format!("{balances:?}")),
    }
}

fn acted(book: &mut Book, action: Action, movements: &[PostingKind]) -> String {
    let post = |&movement| posting(account(1), movement);
    let unit = Transaction {
        postings: movements.iter().map(post).collect(),
        action: Some(action),
        ..Transaction::default()
    };
    book.apply(&unit, 1).unwrap().answer.unwrap()
}

const FIVE: PostingKind = PostingKind::Earn {
    amount: 5,
    expires_at: NEVER,
};
const LESS_SEVEN: PostingKind = PostingKind::SpendUpTo { amount: 7 };

#[test]
fn an_action_is_answered_once_with_the_final_balances() {
    let mut book = Book::default();
    assert_eq!(
        acted(&mut book, action("a", None), &[FIVE, FIVE]),
        "[Some(10), Some(10)]"
    );
    // Whatever comes under its token.
    assert_eq!(
        acted(&mut book, action("a", None), &[FIVE]),
        "[Some(10), Some(10)]"
    );
    assert_eq!(
        acted(&mut book, action("b", None), &[LESS_SEVEN]),
        "[Some(3)]"
    );
    assert_eq!(
        acted(&mut book, action("c", None), &[LESS_SEVEN]),
        "[Some(0)]"
    );
    assert_eq!(acted(&mut book, action("d", None), &[LESS_SEVEN]), "[None]");
    assert_eq!(acted(&mut book, action("e", None), &[]), "[]");
    book.put_answered(action("f", None).key(), "stored".into());
    assert_eq!(acted(&mut book, action("f", None), &[FIVE]), "stored");
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

#[test]
fn beyond_its_limit_an_action_moves_nothing() {
    let mut book = Book::default();
    let tally = Tally::of(&action("", Some(1))).unwrap().0;
    book.put_tally(tally.clone(), 1);
    assert_eq!(acted(&mut book, action("a", Some(3)), &[FIVE]), "[Some(5)]");
    assert_eq!(acted(&mut book, action("a", Some(3)), &[FIVE]), "[Some(5)]");
    assert_eq!(
        acted(&mut book, action("b", Some(3)), &[FIVE]),
        "[Some(10)]"
    );
    assert_eq!(acted(&mut book, action("c", Some(3)), &[FIVE]), "[]");
    assert_eq!(balance(&book), 10);
    // Another name, or another day, is counted by itself.
    let mut other = action("d", Some(1));
    other.name = "like".into();
    assert_eq!(acted(&mut book, other, &[FIVE]), "[Some(15)]");
    let mut later = action("e", Some(1));
    later.limit = Some(Limit {
        most: 1,
        from: DAY,
        until: 2 * DAY,
    });
    assert_eq!(acted(&mut book, later, &[FIVE]), "[Some(20)]");
    let scored = book
        .into_changes()
        .actions
        .iter()
        .filter(|row| row.scored)
        .count();
    assert_eq!(scored, 4);
}

#[test]
fn an_action_that_moves_nothing_does_not_count_towards_its_limit() {
    let mut book = Book::default();
    assert_eq!(acted(&mut book, action("a", Some(1)), &[]), "[]");
    assert_eq!(acted(&mut book, action("b", Some(1)), &[FIVE]), "[Some(5)]");
    assert_eq!(acted(&mut book, action("c", Some(1)), &[FIVE]), "[]");
}

#[test]
fn each_action_within_a_limit_takes_the_next_turn() {
    let turns = |known: i64, tokens: &[&str], now: i64| {
        let mut book = Book::default();
        let (tally, _) = Tally::of(&action("a", Some(3))).unwrap();
        book.put_tally(tally, known);
        for token in tokens {
            let unit = Transaction {
                postings: vec![posting(account(1), FIVE)],
                action: Some(action(token, Some(3))),
                ..Transaction::default()
            };
            book.apply(&unit, now).unwrap();
        }
        book.into_changes().turns
    };
    let all = turns(0, &["a", "b", "c"], 1);
    // Whoever counts again gets the same turn, under whatever token.
    assert_eq!(turns(1, &["d", "e"], 1), all[1..]);
    assert_eq!(turns(3, &["f"], 1), []);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3);
    // Too late to be counted: it can take nobody's turn.
    assert_eq!(turns(0, &["a"], DAY), []);
}
