//! A ledger in each database against a book in memory: long sequences of units come to the same in both.
//!
//! Units that go at once and have a person in common name that person alike, so that they are written in the order in which
//! they were queued, whoever writes them; units of several people have nothing in common but the counter accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use entity::{account, action, alias, daily_limit_slot, entry, lot, nonce};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use sea_orm::{EntityTrait, IntoActiveModel};

use super::Home;
use super::database::{MARIADB, POSTGRES};
use crate::clock::Clock;
use crate::ledger::book::Book;
use crate::ledger::book::account::{Account, Lot};
use crate::ledger::book::changes::Changes;
use crate::ledger::book::entry::Entry;
use crate::ledger::book::key::Key;
use crate::ledger::book::tests::EXPIRED;
use crate::ledger::book::transaction::*;
use crate::ledger::read::entries::from_row;
use crate::ledger::{ApplyError, Ledger, Settings};

const DAY: i64 = 86_400_000;

/// Who there is, under a first and a second name; a sloppy database takes some of them for one.
const PEOPLE: [(&str, &str); 5] = [
    ("uid:1", "key:a"),
    ("uid:1 ", "key:A"),
    ("UID:1", "key:a "),
    ("uid:é", "key:it's \"😀\""),
    ("uid:e\u{301}", "key:back\\slash"),
];

/// Texts of the history; the chain of hashes holds each to the byte.
const TEXTS: [&str; 7] = ["", " ", "it's", "back\\slash\n", "😀", "null", "名字 "];

/// Units that go at once, so long (ms) after those before.
#[derive(Clone, Debug)]
struct Batch {
    later: i64,
    /// Which of each person's names this batch uses.
    second_names: [bool; 5],
    units: Vec<Wish>,
}

/// A unit, before it is known under which name and when.
#[derive(Clone, Debug)]
struct Wish {
    person: usize,
    nonce: Option<u8>,
    postings: Vec<(Asset, Posting)>,
    action: Option<(u8, bool)>,
}

type Asset = &'static str;

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let later = prop_oneof![0..1000_i64, (0..3_i64).prop_map(|days| days * DAY)];
    let units = proptest::collection::vec(wishes(), 1..10);
    let batch = (later, any::<[bool; 5]>(), units).prop_map(|(later, second_names, units)| Batch {
        later,
        second_names,
        units,
    });
    proptest::collection::vec(batch, 25..60)
}

fn wishes() -> impl Strategy<Value = Wish> {
    let nonce = proptest::option::weighted(0.3, 0..40_u8);
    let action = proptest::option::weighted(0.3, (0..60_u8, any::<bool>()));
    (0..PEOPLE.len()).prop_flat_map(move |person| {
        let postings = proptest::collection::vec(postings(person), 1..4);
        (nonce.clone(), postings, action.clone()).prop_map(move |(nonce, postings, action)| Wish {
            person,
            nonce,
            postings,
            action,
        })
    })
}

fn movements(person: usize, asset: Asset) -> impl Strategy<Value = PostingKind> {
    // An order belongs to an account, so that its key names it.
    let order = move |n: u8| Key::of(&["order", asset, &person.to_string(), &n.to_string()]);
    let expiry = prop_oneof![(0..60_i64).prop_map(|days| days * DAY), Just(NEVER)];
    let odd = prop_oneof![Just(0_i64), Just(-3), Just(MOST), Just(i64::MAX)];
    prop_oneof![
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
    let guard = move |n: u8| Key::of(&["once", &person.to_string(), &n.to_string()]);
    let text = || proptest::option::of(proptest::sample::select(TEXTS.as_slice()));
    prop_oneof![3 => Just("coin"), 1 => Just("score")].prop_flat_map(move |asset| {
        let once = proptest::option::of((0..60_u8, 0..2_u8));
        let requires = proptest::option::weighted(0.1, 0..60_u8);
        let texts = (text(), text(), proptest::option::of(any::<i64>()));
        let parts = (movements(person, asset), once, requires, texts, 1..23_i64);
        parts.prop_map(move |(movement, once, requires, texts, kind)| {
            // Time makes no requests that could be sent again, and actions have a guard of their own.
            let unguarded = matches!(
                movement,
                PostingKind::Expire { .. } | PostingKind::SpendUpTo { .. }
            );
            let once = once
                .filter(|_| !unguarded)
                .map(|(key, content)| Idempotency {
                    key: guard(key),
                    fingerprint: Key::of(&[&content.to_string()]),
                });
            let posting = Posting {
                account: AccountKey {
                    owner: String::new(),
                    asset: asset.to_owned(),
                },
                kind: movement,
                reason: Reason(kind),
                idempotency: once,
                requires: requires.map(guard),
                reference: texts.0.map(str::to_owned),
                message: texts.1.map(str::to_owned),
                operator: texts.2,
            };
            (asset, posting)
        })
    })
}

/// The unit that is meant, under this name and at this time.
fn unit(wish: &Wish, owner: &str, now: i64) -> Transaction {
    let person = wish.person.to_string();
    let postings = wish.postings.iter().map(|(asset, posting)| Posting {
        account: AccountKey {
            owner: owner.to_owned(),
            asset: (*asset).to_owned(),
        },
        ..posting.clone()
    });
    let from = now - now.rem_euclid(DAY);
    let action = wish.action.map(|(token, limited)| Action {
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
    let nonce = wish.nonce.map(|n| Nonce {
        at: i64::from(n % 3) - 1,
        key: Key::of(&["nonce", &person, &n.to_string()]),
    });
    Transaction {
        request_id: None,
        nonce,
        postings: postings.collect(),
        action,
    }
}

/// Both run the same.
struct Pair {
    book: Book,
    ledger: Ledger,
    hand: Arc<AtomicI64>,
}

impl Pair {
    async fn new(url: &str, batch: usize) -> Pair {
        let hand = Arc::new(AtomicI64::new(DAY));
        let time = hand.clone();
        let clock = Clock::new(move || time.load(Ordering::SeqCst));
        let settings = Settings {
            queue: 1000,
            batch,
            writers: 0,
            expiry_reason: EXPIRED,
        };
        let ledger = Ledger::open(url, settings, clock).await.unwrap();
        let mut book = Book::new(EXPIRED);
        for (owner, name) in PEOPLE {
            let (name, owner) = (name.to_owned(), owner.to_owned());
            book.put_identity(name.clone(), owner.clone());
            let alias = alias::Model { name, owner }.into_active_model();
            let db = ledger.database().begin_write().await.unwrap();
            alias::Entity::insert(alias)
                .exec_without_returning(&db)
                .await
                .unwrap();
            db.commit().await.unwrap();
        }
        Pair { book, ledger, hand }
    }

    async fn apply(&mut self, batch: &Batch) -> Result<(), TestCaseError> {
        let now = self.hand.fetch_add(batch.later, Ordering::SeqCst) + batch.later;
        let units = batch.units.iter().map(|wish| {
            let (first, second) = PEOPLE[wish.person];
            let owner = if batch.second_names[wish.person] {
                second
            } else {
                first
            };
            unit(wish, owner, now)
        });
        let units: Vec<Transaction> = units.collect();
        let answers = units.iter().map(|unit| self.ledger.apply(unit.clone()));
        let answers = join_all(answers).await;
        for (unit, answer) in units.iter().zip(answers) {
            let expected = self.book.apply(unit, now).map_err(ApplyError::Rejected);
            prop_assert_eq!(answer, expected, "{:?}", unit);
        }
        Ok(())
    }

    async fn compare(self) -> Result<(), TestCaseError> {
        let now = self.hand.load(Ordering::SeqCst);
        for (owner, name) in PEOPLE {
            for asset in ["coin", "score"] {
                let key = |owner: &str| AccountKey {
                    owner: owner.to_owned(),
                    asset: asset.to_owned(),
                };
                let expected = self.book.account(&key(owner)).map(|of| counting(of, now));
                for name in [owner, name] {
                    let found = self.ledger.balance(key(name)).await;
                    prop_assert_eq!(found, Ok(expected), "{} of {}", asset, name);
                }
            }
        }
        let changes = self.book.into_changes();
        same_rows(&self.ledger, &changes).await?;
        let report = self.ledger.audit(|_, _| {}).await;
        let report = report.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(report.accounts, changes.accounts.len() as u64);
        prop_assert_eq!(report.entries, changes.entries.len() as u64);
        let points = changes.accounts.values().map(|of| i128::from(of.balance));
        prop_assert_eq!(report.points, points.sum::<i128>());
        Ok(())
    }
}

/// Points without those that are due.
fn counting(account: &Account, now: i64) -> i64 {
    let due = account.lots.iter().filter(|lot| lot.expires_at <= now);
    account.balance - due.map(|lot| lot.remaining).sum::<i64>()
}

/// Everything that is kept is what the book has.
async fn same_rows(ledger: &Ledger, changes: &Changes) -> Result<(), TestCaseError> {
    let db = ledger.database().read();
    let lots = lot::Entity::find().all(db).await.unwrap();
    let mut lots_of: BTreeMap<i64, Vec<Lot>> = BTreeMap::new();
    for row in lots {
        let (expires_at, remaining) = (row.expires_at, row.remaining);
        lots_of.entry(row.account_id).or_default().push(Lot {
            expires_at,
            remaining,
        });
    }
    let (mut accounts, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for row in account::Entity::find().all(db).await.unwrap() {
        let mut lots = lots_of.remove(&row.id).unwrap_or_default();
        lots.sort_unstable_by_key(|lot| lot.expires_at);
        let key = AccountKey {
            owner: row.owner,
            asset: row.asset,
        };
        keys.insert(row.id, key.clone());
        let account = Account {
            id: None,
            balance: row.balance,
            last_seq: row.last_seq,
            income_seq: row.income_seq,
            last_at: row.last_at,
            head: row.head.try_into().unwrap(),
            lots,
        };
        accounts.insert(key, account);
    }
    prop_assert_eq!(lots_of, BTreeMap::new(), "lots of nobody");
    prop_assert_eq!(&accounts, &changes.accounts);
    let rows = entry::Entity::find().all(db).await.unwrap();
    let mut entries: Vec<Entry> = rows.iter().map(|row| kept(row, &keys)).collect();
    let mut expected = changes.entries.clone();
    for entries in [&mut entries, &mut expected] {
        entries.sort_by(|a, b| (&a.account, a.seq).cmp(&(&b.account, b.seq)));
    }
    prop_assert_eq!(entries, expected);
    let nonces = nonce::Entity::find().all(db).await.unwrap();
    let nonces = nonces.into_iter().map(|row| (row.at, row.nonce_key));
    let expected = changes.nonces.iter();
    let expected = expected.map(|nonce| (nonce.at, nonce.key.bytes().to_vec()));
    prop_assert_eq!(
        nonces.collect::<BTreeSet<_>>(),
        expected.collect::<BTreeSet<_>>()
    );
    let slots = daily_limit_slot::Entity::find().all(db).await.unwrap();
    let slots = slots.into_iter().map(|row| (row.expires_at, row.slot_key));
    let expected = changes.limit_slots.iter();
    let expected = expected.map(|slot| (slot.expires_at, slot.key.bytes().to_vec()));
    prop_assert_eq!(
        slots.collect::<BTreeSet<_>>(),
        expected.collect::<BTreeSet<_>>()
    );
    let actions = action::Entity::find().all(db).await.unwrap();
    let actions = actions.into_iter().map(|row| (row.action_key, row.scored));
    let expected = changes.actions.iter();
    let expected = expected.map(|it| (it.action.key.bytes().to_vec(), i64::from(it.scored)));
    prop_assert_eq!(
        actions.collect::<BTreeSet<_>>(),
        expected.collect::<BTreeSet<_>>()
    );
    Ok(())
}

/// An entry as it is kept.
fn kept(row: &entry::Model, keys: &BTreeMap<i64, AccountKey>) -> Entry {
    let entry = from_row(&keys[&row.account_id], row).unwrap();
    assert_eq!(entry.direction(), row.direction);
    entry
}

/// Few sequences, but long ones; a failure is made smaller for as long as a person would wait for it.
fn try_on(server: Option<&str>) {
    let limits = ProptestConfig {
        cases: 4,
        max_shrink_iters: 60,
        max_shrink_time: 60_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tried = TestRunner::new(limits).run(&(batches(), 1..8_usize), |(batches, size)| {
        let home = Home::on(server);
        runtime.block_on(async {
            let mut pair = Pair::new(&home.url, size).await;
            let ledger = pair.ledger.clone();
            let mut same = Ok(());
            for batch in &batches {
                same = pair.apply(batch).await;
                if same.is_err() {
                    break;
                }
            }
            if same.is_ok() {
                same = pair.compare().await;
            }
            ledger.close().await;
            same
        })
    });
    tried.unwrap();
}

#[test]
fn sqlite_keeps_what_the_book_says() {
    try_on(None);
}

#[test]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
fn postgresql_keeps_what_the_book_says() {
    try_on(Some(POSTGRES));
}

#[test]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
fn mariadb_keeps_what_the_book_says() {
    try_on(Some(MARIADB));
}
