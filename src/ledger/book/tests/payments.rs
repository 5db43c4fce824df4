//! The rules of payments: an event is recorded with its postings, if its caller saw all events of its subject.

use entity::payment;

use super::*;

fn event(id: &str, subject_seq: i64) -> Box<payment::Model> {
    Box::new(payment::Model {
        event_id: id.into(),
        charge_id: None,
        kind: "charge.succeeded".into(),
        object: None,
        order_no: None,
        amount: None,
        amount_settle: None,
        currency: None,
        channel: None,
        transaction_no: None,
        user_key: None,
        created: None,
        time_paid: None,
        at: 0,
        subject: "charge".into(),
        subject_seq,
    })
}

#[test]
fn an_event_is_recorded_only_if_its_caller_saw_all_others() {
    let mut book = Book::new(EXPIRED);
    book.put_payment_count("charge".into(), 1);
    let earn = PostingKind::Earn {
        amount: 5,
        expires_at: NEVER,
    };
    let mut apply = |event: Box<payment::Model>, kind| {
        let transaction = Transaction {
            payment: Some(event),
            ..Transaction::of(posting(account(1), kind))
        };
        assert!(transaction.is_idempotent());
        book.apply(&transaction, 1).map(|it| it.receipts[0].balance)
    };
    for seen in [0, 2] {
        assert_eq!(
            apply(event("a", seen), earn),
            Err(Rejection::PaymentChanged)
        );
    }
    // A rejected posting leaves the event unrecorded.
    let spend = PostingKind::Spend {
        amount: 1,
        order: None,
    };
    assert_eq!(apply(event("a", 1), spend), Err(Rejection::Insufficient));
    assert_eq!(apply(event("a", 1), earn), Ok(5));
    // The others of the same batch count too.
    assert_eq!(apply(event("b", 1), earn), Err(Rejection::PaymentChanged));
    assert_eq!(apply(event("b", 2), earn), Ok(10));
    let changes = book.into_changes();
    assert!(!changes.is_empty());
    assert_eq!(changes.entries.len(), 2);
    assert_eq!(changes.payments, [*event("a", 1), *event("b", 2)]);
}

#[test]
fn an_event_without_postings_is_a_change() {
    let mut book = Book::new(EXPIRED);
    let transaction = Transaction {
        payment: Some(event("a", 0)),
        ..Transaction::default()
    };
    assert_eq!(book.apply(&transaction, 1), Ok(Applied::default()));
    assert!(!book.into_changes().is_empty());
}
