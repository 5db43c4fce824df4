//! A ledger on each database against a book in memory: long sequences of transactions give the same in both.
//!
//! Transactions in flight at once that share a person name that person alike, so that one writer applies them in the order in
//! which they were queued. Transactions of different people share nothing but the contra accounts.

mod plans;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use entity::{account, action, daily_limit_slot, entry, identity, lot, nonce};
use futures_util::future::join_all;
use pointgate::clock::Clock;
use pointgate::ledger::book::Book;
use pointgate::ledger::book::account::{Account, Lot};
use pointgate::ledger::book::changes::Changes;
use pointgate::ledger::book::debt::is_debt;
use pointgate::ledger::book::entry::Entry;
use pointgate::ledger::book::names::{NameLink, links};
use pointgate::ledger::book::origins::{OriginRecord, StoredOrigin};
use pointgate::ledger::book::transaction::{AccountKey, Transaction};
use pointgate::ledger::read::entries::from_row;
use pointgate::ledger::{ApplyError, Ledger, Settings};
use pointgate::origin::Origin;
use pointgate::points::EXPIRED;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use sea_orm::{Database, DatabaseConnection, EntityTrait, IntoActiveModel};

use crate::database::{Home, MARIADB, POSTGRES};
use plans::{Batch, DAY, PEOPLE, batches, transaction};

/// A ledger and a book that get the same transactions.
struct Pair {
    book: Book,
    ledger: Ledger,
    db: DatabaseConnection,
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
        let db = Database::connect(url).await.unwrap();
        let mut book = Book::new(EXPIRED);
        book.put_origins(HashMap::from([(Origin::default(), program())]));
        for (place, (owner, name)) in PEOPLE.into_iter().enumerate() {
            // One of them has an account under either name.
            let kept = match place {
                // What an account owes is kept with it.
                0 => vec!["-score".to_owned(), "score".to_owned()],
                _ => Vec::new(),
            };
            for NameLink { name, asset, owner } in links(name, owner, &kept) {
                let every = ["-coin", "-score", "coin", "score"].map(str::to_owned);
                let of = every
                    .into_iter()
                    .filter(|one| asset == *one || asset.is_empty() && !kept.contains(one));
                for asset in of {
                    let owned = name.clone();
                    let named = AccountKey {
                        owner: owned,
                        asset,
                    };
                    book.put_identity(named, owner.clone());
                }
                let row = identity::Model { name, asset, owner };
                identity::Entity::insert(row.into_active_model())
                    .exec_without_returning(&db)
                    .await
                    .unwrap();
            }
        }
        // The journal vouches for identities of before it when a ledger is opened.
        let again = Ledger::open(url, settings, Clock::new(|| DAY)).await;
        again.unwrap().close().await;
        Pair {
            book,
            ledger,
            db,
            hand,
        }
    }

    async fn apply(&mut self, batch: &Batch) -> Result<(), TestCaseError> {
        let now = self.hand.fetch_add(batch.later, Ordering::SeqCst) + batch.later;
        let transactions = batch.plans.iter().map(|plan| {
            let (first, second) = PEOPLE[plan.person];
            let owner = match batch.second_names[plan.person] {
                true => second,
                false => first,
            };
            transaction(plan, owner, now)
        });
        let transactions: Vec<Transaction> = transactions.collect();
        let answers = transactions.iter().map(|it| self.ledger.apply(it.clone()));
        let answers = join_all(answers).await;
        for (transaction, answer) in transactions.iter().zip(answers) {
            let expected = self
                .book
                .apply(transaction, now)
                .map_err(ApplyError::Rejected);
            prop_assert_eq!(answer, expected, "{:?}", transaction);
        }
        Ok(())
    }

    async fn compare(self) -> Result<(), TestCaseError> {
        let now = self.hand.load(Ordering::SeqCst);
        for (owner, name) in PEOPLE {
            for asset in ["coin", "score", "-coin", "-score"] {
                let key = |owner: &str| AccountKey {
                    owner: owner.to_owned(),
                    asset: asset.to_owned(),
                };
                let first = key(owner);
                let first = key(self.book.owner_of(&first));
                let expected = self.book.account(&first).map(|of| counting(of, now));
                for name in [owner, name] {
                    let found = self.ledger.balance(key(name)).await;
                    prop_assert_eq!(found, Ok(expected), "{} of {}", asset, name);
                }
            }
        }
        let changes = self.book.into_changes();
        same_rows(&self.db, &changes).await?;
        let report = self.ledger.audit(|_, _| {}).await;
        let report = report.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(report.accounts, changes.accounts.len() as u64);
        prop_assert_eq!(report.entries, changes.entries.len() as u64);
        let held = changes
            .accounts
            .iter()
            .filter(|(key, _)| !is_debt(&key.asset));
        let points = held.map(|(_, of)| i128::from(of.balance));
        prop_assert_eq!(report.points, points.sum::<i128>());
        Ok(())
    }
}

/// The points that count: the balance without lots that are due.
fn counting(account: &Account, now: i64) -> i64 {
    let due = account.lots.iter().filter(|lot| lot.expires_at <= now);
    account.balance - due.map(|lot| lot.remaining).sum::<i64>()
}

/// Compares all rows with what the book changed.
async fn same_rows(db: &DatabaseConnection, changes: &Changes) -> Result<(), TestCaseError> {
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
    prop_assert_eq!(lots_of, BTreeMap::new(), "lots without an account");
    prop_assert_eq!(&accounts, &changes.accounts);
    let rows = entry::Entity::find().all(db).await.unwrap();
    let entries = rows.into_iter().map(|row| stored(row, &keys));
    let mut entries: Vec<Entry> = entries.collect();
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
    let expected = expected.map(|it| (it.key.bytes().to_vec(), i64::from(it.scored)));
    prop_assert_eq!(
        actions.collect::<BTreeSet<_>>(),
        expected.collect::<BTreeSet<_>>()
    );
    Ok(())
}

/// Stands for the number of the only origin.
const ORIGIN: i64 = 1;

/// What entries say of the program itself, which asks for everything here.
fn program() -> StoredOrigin {
    let record = OriginRecord::of(&Origin::default(), [0; 16]);
    StoredOrigin {
        id: ORIGIN,
        digest: record.digest(),
    }
}

/// An entry as it is stored.
fn stored(row: entry::Model, keys: &BTreeMap<i64, AccountKey>) -> Entry {
    // Writers that add an origin at once use up several numbers for it.
    let row = entry::Model {
        origin_id: Some(ORIGIN),
        ..row
    };
    let origins = HashMap::from([(ORIGIN, program().digest)]);
    let entry = from_row(&keys[&row.account_id], &row, &origins).unwrap();
    assert_eq!(entry.direction(), row.direction);
    entry
}

/// Tries a few long sequences. A failure shrinks for a minute at most.
fn compare_on(server: Option<&str>) {
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
            let (ledger, db) = (pair.ledger.clone(), pair.db.clone());
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
            db.close().await.unwrap();
            same
        })
    });
    tried.unwrap();
}

#[test]
fn sqlite_matches_the_book() {
    compare_on(None);
}

#[test]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
fn postgresql_matches_the_book() {
    compare_on(Some(POSTGRES));
}

#[test]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
fn mariadb_matches_the_book() {
    compare_on(Some(MARIADB));
}
