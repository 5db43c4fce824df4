//! Random transactions for a ledger and a book.

use pointgate::ledger::book::correction::Correction;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::*;
use proptest::prelude::*;

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;

/// People, each by a first and a second name. A database that compares texts loosely takes some of them for one.
pub const PEOPLE: [(&str, &str); 5] = [
    ("uid:1", "key:a"),
    ("uid:1 ", "key:A"),
    ("UID:1", "key:a "),
    ("uid:é", "key:it's \"😀\""),
    ("uid:e\u{301}", "key:back\\slash"),
];

/// Texts of the history; the hashes cover each to the byte.
const TEXTS: [&str; 7] = ["", " ", "it's", "back\\slash\n", "😀", "null", "名字 "];

/// Transactions in flight at once, `later` ms after the batch before.
#[derive(Clone, Debug)]
pub struct Batch {
    pub later: i64,
    /// For each person, whether this batch uses the second name.
    pub second_names: [bool; 5],
    /// The transactions of the batch, in their order.
    pub plans: Vec<Plan>,
}

/// A transaction without its owner's name and its time.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The place in [`PEOPLE`].
    pub person: usize,
    nonce: Option<u8>,
    postings: Vec<(Asset, Posting)>,
    action: Option<(u8, bool)>,
}

type Asset = &'static str;

/// Batches of transactions.
pub fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let later = prop_oneof![0..1000_i64, (0..3_i64).prop_map(|days| days * DAY)];
    let plans = proptest::collection::vec(plans(), 1..10);
    let batch = (later, any::<[bool; 5]>(), plans).prop_map(|(later, second_names, plans)| Batch {
        later,
        second_names,
        plans,
    });
    proptest::collection::vec(batch, 25..60)
}

fn plans() -> impl Strategy<Value = Plan> {
    let nonce = proptest::option::weighted(0.3, 0..40_u8);
    let action = proptest::option::weighted(0.3, (0..60_u8, any::<bool>()));
    (0..PEOPLE.len()).prop_flat_map(move |person| {
        let postings = proptest::collection::vec(postings(person), 1..4);
        (nonce.clone(), postings, action.clone()).prop_map(move |(nonce, postings, action)| Plan {
            person,
            nonce,
            postings,
            action,
        })
    })
}

fn kinds(person: usize, asset: Asset) -> impl Strategy<Value = PostingKind> {
    // An order belongs to an account, so that its key names it.
    let order = move |n: u8| Key::of(&["order", asset, &person.to_string(), &n.to_string()]);
    let expiry = prop_oneof![(0..60_i64).prop_map(|days| days * DAY), Just(NEVER)];
    let odd = prop_oneof![Just(0_i64), Just(-3), Just(MOST), Just(i64::MAX)];
    let adjusted = (-150..150_i64, expiry.clone(), any::<bool>());
    prop_oneof![
        1 => adjusted.prop_map(|(points, expires_at, claw_back)| {
            PostingKind::Correct(Correction::Adjust { points, expires_at, claw_back })
        }),
        4 => (1..100_i64, expiry).prop_map(|(amount, expires_at)| PostingKind::Earn { amount, expires_at }),
        2 => (1..150_i64, proptest::option::of(0..5_u8))
            .prop_map(move |(amount, n)| PostingKind::Spend { amount, order: n.map(order) }),
        1 => (1..60_i64, 0..5_u8)
            .prop_map(move |(amount, n)| PostingKind::Return { amount, order: order(n) }),
        1 => (1..150_i64).prop_map(|amount| PostingKind::SpendUpTo { amount }),
        1 => (0..80_i64).prop_map(|days| PostingKind::Expire { due_by: days * DAY }),
        1 => odd.prop_map(|amount| PostingKind::Earn { amount, expires_at: NEVER }),
    ]
}

fn postings(person: usize) -> impl Strategy<Value = (Asset, Posting)> {
    let text = || proptest::option::of(proptest::sample::select(TEXTS.as_slice()));
    prop_oneof![3 => Just("coin"), 1 => Just("score")].prop_flat_map(move |asset| {
        // A gain belongs to an account, so that its key names it.
        let key = move |n: u8| Key::of(&["once", asset, &person.to_string(), &n.to_string()]);
        let idempotency = proptest::option::of((0..60_u8, 0..2_u8));
        let requires = proptest::option::weighted(0.1, 0..60_u8);
        let texts = (text(), text(), proptest::option::of(any::<i64>()));
        let parts = (
            kinds(person, asset),
            idempotency,
            requires,
            texts,
            1..23_i64,
        );
        parts.prop_map(move |(kind, idempotency, requires, texts, reason)| {
            // Nobody retries an expiry, and actions have a key of their own.
            let has_no_key = matches!(
                kind,
                PostingKind::Expire { .. } | PostingKind::SpendUpTo { .. }
            );
            let idempotency = idempotency
                .filter(|_| !has_no_key)
                .map(|(n, content)| Idempotency {
                    key: key(n),
                    fingerprint: Key::of(&[&content.to_string()]),
                });
            let posting = Posting {
                account: AccountKey {
                    owner: String::new(),
                    asset: asset.to_owned(),
                },
                kind,
                reason: Reason(reason),
                idempotency,
                requires: requires.map(|n| Gain {
                    key: key(n),
                    further: Key::of(&["further", asset, &person.to_string(), &n.to_string()]),
                }),
                reference: texts.0.map(str::to_owned),
                message: texts.1.map(str::to_owned),
                operator: texts.2,
            };
            (asset, posting)
        })
    })
}

/// The planned transaction, under this owner's name and at this time.
pub fn transaction(plan: &Plan, owner: &str, now: i64) -> Transaction {
    let person = plan.person.to_string();
    let postings = plan.postings.iter().map(|(asset, posting)| Posting {
        account: AccountKey {
            owner: owner.to_owned(),
            asset: (*asset).to_owned(),
        },
        ..posting.clone()
    });
    let from = now - now.rem_euclid(DAY);
    let action = plan.action.map(|(token, limited)| Action {
        key: Key::of(&["action", &person, &token.to_string()]),
        token: format!("{person} {token}"),
        owner: owner.to_owned(),
        name: if limited { "like" } else { "post" }.to_owned(),
        other: None,
        object: Some("it's 😀".to_owned()),
        limit: limited.then_some(Limit {
            most: 2,
            from,
            until: from + DAY,
        }),
    });
    let nonce = plan.nonce.map(|n| Nonce {
        at: i64::from(n % 3) - 1,
        key: Key::of(&["nonce", &person, &n.to_string()]),
        fingerprint: None,
    });
    Transaction {
        nonce,
        postings: postings.collect(),
        action,
        ..Transaction::default()
    }
}
