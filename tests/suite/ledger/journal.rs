//! The journal's chain: two instances that append at once keep it whole, and the audit names a record that was changed.

use entity::{identity, journal, member};
use futures_util::future::join_all;
use pointgate::clock::Clock;
use pointgate::ledger::book::journal::{JournalEvent, JournalRecord, Operator};
use pointgate::ledger::database::Database as LedgerDatabase;
use pointgate::ledger::upkeep::journal::append;
use pointgate::ledger::{Ledger, Settings};
use pointgate::members::{LinkError, MemberName, Members};
use pointgate::points::EXPIRED;
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryOrder,
};

use crate::database::{Home, databases};

/// The time at which everything happens (ms).
const NOW: i64 = 1_779_247_832_000;

/// The operator of a test's own changes.
pub fn operator() -> Operator {
    Operator {
        user: "uid:1000".into(),
        request_id: "r-1".into(),
    }
}

async fn open(url: &str) -> Ledger {
    let settings = Settings {
        queue: 100,
        batch: 10,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    Ledger::open(url, settings, Clock::new(|| NOW))
        .await
        .unwrap()
}

async fn records(ledger: &Ledger) -> Vec<JournalRecord> {
    let records = ledger.journal_after(0).await.unwrap();
    let last = records.last().map_or(0, |record| record.number);
    assert_eq!(ledger.journal_after(last).await.unwrap(), []);
    records
}

async fn rows(db: &DatabaseConnection) -> Vec<journal::Model> {
    let rows = journal::Entity::find().order_by_asc(journal::Column::Number);
    rows.all(db).await.unwrap()
}

/// Statements, and the record that the audit names after each.
const TAMPERED: [(&str, &str); 12] = [
    (
        "UPDATE journal SET number = 4 WHERE number = 3",
        "journal record 3: is missing, the next one has the number 4",
    ),
    (
        "DELETE FROM journal WHERE number = 1",
        "journal record 1: is missing, the next one has the number 2",
    ),
    (
        "DELETE FROM journal WHERE number = 2",
        "journal record 2: is missing, the next one has the number 3",
    ),
    (
        "UPDATE journal SET number = 9 - number; UPDATE journal SET number = 1 WHERE number = 6; \
         UPDATE journal SET number = 2 WHERE number = 7; UPDATE journal SET number = 3 WHERE number = 8",
        "journal record 1: its hash does not match its content",
    ),
    (
        "UPDATE journal SET at = at + 1 WHERE number = 2",
        "journal record 2: its hash does not match its content",
    ),
    (
        "UPDATE journal SET kind = 'forget' WHERE number = 2",
        "journal record 2: its hash does not match its content",
    ),
    (
        "UPDATE journal SET operator = 'uid:0' WHERE number = 2",
        "journal record 2: its hash does not match its content",
    ),
    (
        "UPDATE journal SET request_id = '' WHERE number = 1",
        "journal record 1: its hash does not match its content",
    ),
    (
        "UPDATE journal SET details = '{\"name\":\"key:z\",\"owner\":\"uid:3\"}' WHERE number = 3",
        "journal record 3: its hash does not match its content",
    ),
    (
        "UPDATE journal SET details = CONCAT(details, ' ') WHERE number = 2",
        "journal record 2: its hash does not match its content",
    ),
    (
        "UPDATE journal SET hash = {zeros} WHERE number = 3",
        "journal record 3: its hash does not match its content",
    ),
    (
        "UPDATE journal SET hash = {zeros} WHERE number = 1",
        "journal record 1: its hash does not match its content",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_names_a_changed_record() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home.url).await;
        let members = Members::new(ledger.clone());
        for (uid, key) in [(1, "a"), (2, "b"), (3, "c")] {
            members.link(uid, key, operator()).await.unwrap();
        }
        let db = Database::connect(&home.url).await.unwrap();
        let original = rows(&db).await;
        assert_eq!(original.len(), 3, "{name}");
        for (sql, named) in TAMPERED {
            let zeros = match db.get_database_backend() {
                DbBackend::Postgres => format!("'\\x{}'::bytea", "00".repeat(32)),
                _ => format!("X'{}'", "00".repeat(32)),
            };
            let sql = sql.replace("{zeros}", &zeros);
            db.execute_unprepared(&sql).await.unwrap();
            assert_ne!(rows(&db).await, original, "{name}: {sql}");
            let error = ledger.audit(|_, _| {}).await.unwrap_err();
            assert_eq!(error.to_string(), named, "{name}: {sql}");
            journal::Entity::delete_many().exec(&db).await.unwrap();
            let again = original
                .iter()
                .cloned()
                .map(IntoActiveModel::into_active_model);
            let again = journal::Entity::insert_many(again);
            again.exec_without_returning(&db).await.unwrap();
            ledger.audit(|_, _| {}).await.expect(name);
        }
        db.close().await.unwrap();
        ledger.close().await;
    }
}

/// A link and its record are one transaction, so no crash comes between them: a link whose record cannot be written is not made.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_without_its_record_is_not_made() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home.url).await;
        let members = Members::new(ledger.clone());
        members.link(1, "a", operator()).await.unwrap();
        let db = Database::connect(&home.url).await.unwrap();
        let profile = member::Model {
            id: 50,
            uid: Some(5),
            nickname: Some("five".into()),
            ..member::Model::default()
        };
        let profile = member::Entity::insert(profile.into_active_model());
        profile.exec_without_returning(&db).await.unwrap();
        let renamed = "ALTER TABLE journal RENAME TO journal_away";
        db.execute_unprepared(renamed).await.unwrap();
        let linked = members.link(2, "b", operator()).await;
        assert!(matches!(linked, Err(LinkError::Database(_))), "{name}");
        let five = MemberName::Uid(5);
        members.forget(&five, operator()).await.unwrap_err();
        let back = "ALTER TABLE journal_away RENAME TO journal";
        db.execute_unprepared(back).await.unwrap();
        let identities = identity::Entity::find().count(&db).await.unwrap();
        assert_eq!(identities, 1, "{name}");
        let kept = members.find(&five).await.unwrap().unwrap();
        assert_eq!(kept.nickname.as_deref(), Some("five"), "{name}");
        assert_eq!(records(&ledger).await.len(), 1, "{name}");
        members.link(2, "b", operator()).await.unwrap();
        members.forget(&five, operator()).await.unwrap();
        let kinds: Vec<String> = records(&ledger)
            .await
            .into_iter()
            .map(|record| record.kind)
            .collect();
        assert_eq!(kinds, ["link", "link", "forget"], "{name}");
        ledger.audit(|_, _| {}).await.expect(name);
        db.close().await.unwrap();
        ledger.close().await;
    }
}

/// Instances that append at once, whatever else their transactions lock, wait for one another.
#[tokio::test(flavor = "multi_thread")]
async fn instances_that_append_at_once_keep_the_chain_whole() {
    const EACH: usize = 30;
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home.url).await;
        let instances = (0..2).map(|instance| {
            let url = home.url.clone();
            tokio::spawn(async move {
                let database = LedgerDatabase::open(&url, 1).await.unwrap();
                for i in 0..EACH {
                    let event = JournalEvent::Forgotten {
                        owner: format!("uid:{instance}{i}"),
                        erased: Vec::new(),
                    };
                    let transaction = database.begin_write().await.unwrap();
                    append(&transaction, &event, NOW, operator()).await.unwrap();
                    transaction.commit().await.unwrap();
                }
                database.close().await.unwrap();
            })
        });
        for done in join_all(instances).await {
            done.expect(name);
        }
        assert_eq!(records(&ledger).await.len(), 2 * EACH, "{name}");
        ledger.audit(|_, _| {}).await.expect(name);
        ledger.close().await;
    }
}

/// The migration goes on where it was cut off, as MySQL commits each of its steps by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_cut_off_goes_on() {
    for (name, server) in databases() {
        for step in [
            "SELECT 1",
            "DELETE FROM advisory_lock WHERE name = 'journal'",
        ] {
            let home = Home::on(server);
            open(&home.url).await.close().await;
            let db = Database::connect(&home.url).await.unwrap();
            let unrecorded =
                "DELETE FROM seaql_migrations WHERE version = 'm20261126_000020_journal'";
            let deleted = db.execute_unprepared(unrecorded).await.unwrap();
            assert_eq!(deleted.rows_affected(), 1, "{name}");
            db.execute_unprepared(step).await.unwrap();
            let ledger = open(&home.url).await;
            let members = Members::new(ledger.clone());
            members.link(1, "a", operator()).await.expect(name);
            assert_eq!(rows(&db).await.len(), 1, "{name}");
            db.close().await.unwrap();
            ledger.close().await;
        }
    }
}

/// More records than are read at a time.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_journal_is_read_and_verified_to_its_end() {
    let home = Home::on(None);
    let ledger = open(&home.url).await;
    let members = Members::new(ledger.clone());
    members.link(1, "a", operator()).await.unwrap();
    let db = Database::connect(&home.url).await.unwrap();
    let mut all = records(&ledger).await;
    let forgotten = |owner: &str| JournalEvent::Forgotten {
        owner: owner.to_owned(),
        erased: vec!["qq"],
    };
    for number in 2..=2100 {
        let event = forgotten(&format!("uid:{number}"));
        all.push(JournalRecord::of(&event, NOW, operator(), all.last()));
    }
    let rows = all[1..].iter().map(|record| {
        let record = record.clone();
        journal::Model {
            number: record.number,
            at: record.at,
            kind: record.kind,
            operator: record.operator.user,
            request_id: record.operator.request_id,
            details: record.details,
            hash: record.hash.to_vec(),
        }
        .into_active_model()
    });
    let inserted = journal::Entity::insert_many(rows);
    inserted.exec_without_returning(&db).await.unwrap();
    ledger.audit(|_, _| {}).await.unwrap();
    // The last owner is known from the journal alone.
    let erased = members.forget(&MemberName::Uid(2100), operator()).await;
    assert_eq!(erased.unwrap(), [""; 0]);
    let unknown = members.forget(&MemberName::Uid(2101), operator()).await;
    unknown.unwrap_err();
    let tampered = "UPDATE journal SET at = 0 WHERE number = 2100";
    db.execute_unprepared(tampered).await.unwrap();
    let error = ledger.audit(|_, _| {}).await.unwrap_err();
    let named = "journal record 2100: its hash does not match its content";
    assert_eq!(error.to_string(), named);
    db.close().await.unwrap();
    ledger.close().await;
}
