//! Seals on each database: what is sealed is what the audit saw, and nothing is sealed that does not extend what was published.

mod tampered;
mod verifier;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use entity::{seal, sealed_account};
use pointgate::clock::Clock;
use pointgate::ledger::book::transaction::{AccountKey, Posting, PostingKind, Reason, Transaction};
use pointgate::ledger::proof::checkpoint::Checkpoint;
use pointgate::ledger::proof::note::{Note, SigningKey};
use pointgate::ledger::proof::record::DayRecord;
use pointgate::ledger::proof::{log, state, tree};
use pointgate::ledger::upkeep::seal::witness::WitnessFile;
use pointgate::ledger::upkeep::seal::{SealError, SealOrder, Sealed};
use pointgate::ledger::{Ledger, Settings};
use pointgate::points::EXPIRED;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, EntityTrait, QueryOrder};
use sha2::{Digest, Sha256};

use super::journal::operator;
use crate::database::{Home, databases};

/// When the tests begin (ms): 2026-05-20 in Shanghai.
const NOW: i64 = 1_779_247_832_000;
const DAY: i64 = 86_400_000;

pub fn signing_key(seed: u8) -> SigningKey {
    SigningKey::generate("log", &[seed; 32]).unwrap().0
}

/// A ledger with a clock, a second place for checkpoints, and a connection of its own.
struct Sealing {
    ledger: Ledger,
    now: Arc<AtomicI64>,
    db: DatabaseConnection,
    folder: tempfile::TempDir,
    _home: Home,
}

impl Sealing {
    async fn on(server: Option<&str>) -> Sealing {
        let home = Home::on(server);
        let now = Arc::new(AtomicI64::new(NOW));
        Sealing {
            ledger: open(&home.url, &now).await,
            now,
            db: Database::connect(&home.url).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            _home: home,
        }
    }

    fn witness(&self) -> WitnessFile {
        WitnessFile::at(self.published())
    }

    fn published(&self) -> PathBuf {
        self.folder.path().join("checkpoints")
    }

    async fn credit(&self, owner: &str, points: i64) {
        let account = AccountKey {
            owner: owner.to_owned(),
            asset: "coin".to_owned(),
        };
        let now = self.now.load(Ordering::SeqCst);
        let posting = Posting {
            account,
            kind: PostingKind::Earn {
                amount: points,
                expires_at: now + DAY,
            },
            reason: Reason(3),
            idempotency: None,
            requires: None,
            reference: None,
            message: None,
            operator: None,
        };
        self.ledger.apply(Transaction::of(posting)).await.unwrap();
    }

    async fn seal(&self) -> Result<Sealed, SealError> {
        self.seal_with(&signing_key(1), None).await
    }

    async fn seal_with(
        &self,
        key: &SigningKey,
        next: Option<&SigningKey>,
    ) -> Result<Sealed, SealError> {
        let order = SealOrder {
            key,
            next_key: next,
            witness: Some(&self.witness()),
            program: "pointgate test",
            day: &|at| format!("day {}", (at - NOW) / DAY),
            month: &|at| format!("month {}", (at - NOW) / (30 * DAY)),
            operator: operator(),
        };
        self.ledger.seal(&order, |_, _| {}).await
    }

    async fn rows(&self) -> Vec<seal::Model> {
        let rows = seal::Entity::find().order_by_asc(seal::Column::Number);
        rows.all(&self.db).await.unwrap()
    }

    async fn execute(&self, sql: &str) {
        let done = self.db.execute_unprepared(sql).await.unwrap();
        assert!(done.rows_affected() > 0, "{sql}");
    }

    async fn assert_broken(&self, why: &str) {
        let error = self.ledger.audit(|_, _| {}).await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

async fn open(url: &str, now: &Arc<AtomicI64>) -> Ledger {
    let settings = Settings {
        queue: 100,
        batch: 10,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    let now = now.clone();
    let clock = Clock::new(move || now.load(Ordering::SeqCst));
    Ledger::open(url, settings, clock).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_says_what_the_audit_saw() {
    for (name, server) in databases() {
        let sealing = Sealing::on(server).await;
        assert_eq!(sealing.ledger.checkpoint().await.unwrap(), None);
        let empty = sealing.seal().await.unwrap();
        assert_eq!((empty.number, empty.report.accounts), (1, 0));
        sealing.credit("uid:1", 5).await;
        sealing.credit("uid:2", 7).await;
        let second = sealing.seal().await.unwrap();
        sealing.credit("uid:2", 1).await;
        sealing.now.fetch_add(DAY, Ordering::SeqCst);
        let third = sealing.seal().await.unwrap();
        assert_eq!(third.report.points, 13, "{name}");

        let rows = sealing.rows().await;
        let records: Vec<DayRecord> = rows
            .iter()
            .map(|row| DayRecord::parse(&row.record).unwrap())
            .collect();
        assert_eq!(records[0].root, [0; 32]);
        let days: Vec<&str> = records.iter().map(|record| record.day.as_str()).collect();
        assert_eq!(days, ["day 0", "day 0", "day 1"]);
        assert_eq!(records[2].journal_number, 2);
        let totals: serde_json::Value = serde_json::from_str(&rows[2].totals).unwrap();
        assert_eq!(
            records[2].totals,
            <[u8; 32]>::from(Sha256::digest(&rows[2].totals))
        );
        assert_eq!(totals["accounts"], 2);
        assert_eq!(totals["entries"], 3);
        assert_eq!(totals["assets"]["coin"]["points"], "13");
        assert_eq!(totals["assets"]["coin"]["contra"]["issued"], "-13");
        assert_eq!(totals["assets"]["coin"]["liability"]["month 0"], "13");

        // Each checkpoint extends the one before it, and is published.
        let leaves: Vec<_> = records.iter().map(DayRecord::leaf).collect();
        let mut published = String::new();
        for (at, note) in [&empty, &second, &third].iter().enumerate() {
            let note = Note::parse(&note.note).unwrap();
            note.verify(&[signing_key(1).verifier().clone()]).unwrap();
            let checkpoint = Checkpoint::parse(&note.text).unwrap();
            assert_eq!(checkpoint.size, at as u64 + 1);
            assert_eq!(checkpoint.root, log::root(&leaves[..=at]));
            published += &format!("{note}\n");
        }
        assert_eq!(
            std::fs::read_to_string(sealing.published()).unwrap(),
            published
        );
        assert_eq!(sealing.ledger.checkpoint().await.unwrap(), Some(third.note));

        // An account has a row for each seal before which it changed, and the rows make the root.
        let states = sealed_account::Entity::find()
            .all(&sealing.db)
            .await
            .unwrap();
        let of: Vec<(i64, i64, i64)> = states
            .iter()
            .map(|it| (it.account_id, it.seal, it.seq))
            .collect();
        assert_eq!(of.len(), 3, "{of:?}");
        let secret: [u8; 32] = rows[2].secret.clone().try_into().unwrap();
        let leaf = |owner: &str, at: usize| {
            let key = state::key_of(&AccountKey {
                owner: owner.into(),
                asset: "coin".into(),
            });
            let state: [u8; 32] = states[at].state.clone().try_into().unwrap();
            state::leaf_of(key, &state::salt_of(&secret, &key), &state)
        };
        let position = |seal: i64, seq: i64| {
            states
                .iter()
                .position(|it| (it.seal, it.seq) == (seal, seq))
                .unwrap()
        };
        let last_of_two = position(3, 2);
        let of_one = states
            .iter()
            .position(|it| it.seal == 2 && it.account_id != states[last_of_two].account_id)
            .unwrap();
        let tree = tree::AccountTree::new(vec![leaf("uid:1", of_one), leaf("uid:2", last_of_two)])
            .unwrap();
        assert_eq!(tree.root(), records[2].root, "{name}");
        sealing.ledger.audit(|_, _| {}).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_signs_after_a_seal_with_both() {
    for (_, server) in databases() {
        let sealing = Sealing::on(server).await;
        let (old, new) = (signing_key(1), signing_key(2));
        sealing.seal().await.unwrap();
        let early = sealing.seal_with(&new, None).await.unwrap_err();
        assert!(matches!(early, SealError::OtherKey(key) if key == old.verifier().to_string()));
        let both = sealing.seal_with(&old, Some(&new)).await.unwrap();
        let note = Note::parse(&both.note).unwrap();
        for key in [&old, &new] {
            note.verify(&[key.verifier().clone()]).unwrap();
        }
        let late = sealing.seal_with(&old, None).await.unwrap_err();
        assert!(matches!(late, SealError::OtherKey(key) if key == new.verifier().to_string()));
        let third = sealing.seal_with(&new, None).await.unwrap();
        let note = Note::parse(&third.note).unwrap();
        assert!(note.verify(&[old.verifier().clone()]).is_err());
        sealing.ledger.audit(|_, _| {}).await.unwrap();
        assert_eq!(sealing.rows().await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sealed_that_does_not_extend_what_was_published() {
    for (name, server) in databases() {
        let sealing = Sealing::on(server).await;
        sealing.credit("uid:1", 5).await;
        sealing.seal().await.unwrap();
        let before = std::fs::read_to_string(sealing.published()).unwrap();
        let second = sealing.seal().await.unwrap();
        let refused = |done: Result<Sealed, SealError>, why: &str| {
            let error = done.unwrap_err();
            assert!(
                matches!(error, SealError::NotExtended(_)),
                "{name}: {error}"
            );
            assert!(error.to_string().contains(why), "{name}: {error}");
        };
        // The second place lost the last checkpoint: the next seal publishes it first.
        std::fs::write(sealing.published(), &before).unwrap();
        let third = sealing.seal().await.unwrap();
        let published = std::fs::read_to_string(sealing.published()).unwrap();
        assert_eq!(
            published,
            format!("{before}{}\n{}\n", second.note, third.note)
        );
        // A ledger that was restored from a backup.
        sealing.execute("DELETE FROM seal WHERE number > 2").await;
        refused(sealing.seal().await, "it has 3 seals, and the ledger 2");
        // One that another key seals, in another log.
        let forge = |seed| {
            let checkpoint = Checkpoint {
                name: "log".to_owned(),
                size: 1,
                root: [0; 32],
            };
            let note = Note::sign(&checkpoint.text(), &[&signing_key(seed)]).unwrap();
            std::fs::write(sealing.published(), format!("{note}\n")).unwrap();
        };
        forge(9);
        refused(sealing.seal().await, "no known key has signed this note");
        forge(1);
        refused(
            sealing.seal().await,
            "the first 1 seals are not those of the checkpoint",
        );
        // A second place that cannot be read.
        std::fs::write(sealing.published(), "x").unwrap();
        let error = sealing.seal().await.unwrap_err();
        assert!(matches!(error, SealError::Witness(_)), "{error}");
        assert_eq!(sealing.rows().await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_not_right_is_not_sealed() {
    for (_, server) in databases() {
        let sealing = Sealing::on(server).await;
        sealing.credit("uid:1", 5).await;
        sealing.execute("UPDATE account SET balance = 6").await;
        let error = sealing.seal().await.unwrap_err();
        assert!(matches!(error, SealError::Audit(_)), "{error}");
        assert_eq!(sealing.rows().await, []);
        assert!(!sealing.published().exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_seals_at_once_each_number_is_made_once() {
    for (name, server) in databases() {
        let sealing = Sealing::on(server).await;
        sealing.credit("uid:1", 5).await;
        let other = open(&sealing._home.url, &sealing.now).await;
        let beside = Sealing {
            ledger: other,
            now: sealing.now.clone(),
            db: sealing.db.clone(),
            folder: tempfile::tempdir().unwrap(),
            _home: Home::on(server),
        };
        for _ in 0..5 {
            let done = tokio::join!(sealing.seal(), beside.seal());
            for done in [done.0, done.1] {
                assert!(
                    matches!(done, Ok(_) | Err(SealError::Superseded)),
                    "{name}: {done:?}"
                );
            }
        }
        let numbers: Vec<i64> = sealing.rows().await.iter().map(|row| row.number).collect();
        assert!(numbers.len() >= 5, "{name}: {numbers:?}");
        assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
        sealing.ledger.audit(|_, _| {}).await.unwrap();
    }
}

/// The day of a seal never changes, so that no clock makes one that is not trusted.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_seals_nothing() {
    let sealing = Sealing::on(None).await;
    let bound = std::time::Duration::from_secs(3600);
    sealing.ledger.guard_clock(bound).await.unwrap();
    sealing.now.fetch_add(DAY, Ordering::SeqCst);
    let refused = sealing.seal().await;
    assert!(matches!(refused, Err(SealError::Clock(_))), "{refused:?}");
    assert!(sealing.rows().await.is_empty() && !sealing.published().exists());
    sealing.now.fetch_sub(DAY, Ordering::SeqCst);
    sealing.ledger.compare_clock().await.unwrap();
    assert_eq!(sealing.seal().await.unwrap().number, 1);
}
