//! Purging: nonces, daily-limit slots, messages and the details of actions go when their time is over, and not before.

use std::time::Duration;

use entity::{action, message};
use pointgate::clock::Clock;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Action, ActionReceipt, Limit, NEVER, Nonce, Posting, PostingKind, Transaction,
};
use pointgate::ledger::{Ledger, Settings};
use pointgate::members::{Light, MemberName, Members, MessageKey};
use pointgate::points::{EXPIRED, REWARD};
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};

use crate::database::{Home, databases};
use crate::older::recount;
use crate::program::{CONFIG, Program, ProgramDir, text};

const NOW: i64 = 1_779_247_832_000;
/// The end of the limits' day (ms).
const END: i64 = NOW + 1000;

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_purged_after_its_day() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home).await;
        for n in 0..5 {
            // Three of them score, and take a slot each.
            let applied = ledger.apply(like(n)).await.unwrap();
            assert_eq!(applied.action.unwrap().scored, n < 3, "{n} in {name}");
        }
        assert_eq!(ledger.purge_limits(END).await, Ok(0), "{name}");
        let nonce = Transaction {
            nonce: Some(Nonce {
                at: END,
                key: Key::of(&["nonce"]),
                fingerprint: None,
            }),
            ..Transaction::default()
        };
        ledger.apply(nonce.clone()).await.unwrap();
        assert_eq!(ledger.purge_nonces(END).await, Ok(0), "{name}");
        assert_eq!(ledger.purge_limits(END + 1).await, Ok(3), "{name}");
        assert_eq!(ledger.purge_nonces(END + 1).await, Ok(1), "{name}");
        assert_eq!(ledger.purge_limits(END + 1).await, Ok(0), "{name}");
        assert!(ledger.apply(nonce).await.is_ok(), "{name}");
        // The limit holds by the recorded actions, also without the slots.
        let applied = ledger.apply(like(5)).await.unwrap();
        assert!(!applied.action.unwrap().scored, "{name}");
        ledger.close().await;
    }
}

async fn open(home: &Home) -> Ledger {
    let settings = Settings {
        queue: 100,
        batch: 10,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    let ledger = Ledger::open(&home.url, settings, Clock::new(|| NOW)).await;
    ledger.unwrap()
}

async fn actions(ledger: &Home) -> Vec<action::Model> {
    let db = Database::connect(&ledger.url).await.unwrap();
    let rows = action::Entity::find().order_by_asc(action::Column::Id);
    let rows = rows.all(&db).await.unwrap();
    db.close().await.unwrap();
    rows
}

/// The same token by another member, which the sender made up twice.
fn collision() -> Transaction {
    let mut other = like(0);
    let action = other.action.as_mut().unwrap();
    action.owner = "key:b".into();
    other
}

/// An action without details is still itself: its repeats are recognised, other actions under its token are not taken for it, and it
/// counts towards its limit.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_outlives_its_details() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledgers = [open(&home).await, open(&home).await];
        let ledger = &ledgers[0];
        for transaction in [like(0), like(1), collision()] {
            let applied = ledger.apply(transaction).await.unwrap();
            assert!(applied.action.unwrap().scored, "{name}");
        }
        let before = actions(&home).await;
        assert_eq!(ledger.erase_details(NOW).await, Ok(0), "{name}");
        assert_eq!(actions(&home).await, before, "{name}");

        // Two instances at once erase each once.
        let erased = tokio::join!(
            ledgers[0].erase_details(NOW + 1),
            ledgers[1].erase_details(NOW + 1)
        );
        assert_eq!(erased.0.unwrap() + erased.1.unwrap(), 3, "{name}");
        assert_eq!(ledger.erase_details(NOW + 1).await, Ok(0), "{name}");
        let after = actions(&home).await;
        for (before, after) in before.iter().zip(&after) {
            let expected = action::Model {
                identity_key: after.identity_key.clone(),
                token: String::new(),
                other: None,
                object: None,
                ..before.clone()
            };
            assert_eq!(*after, expected, "{name}");
            assert_eq!(after.identity_key.as_ref().map(Vec::len), Some(16));
        }

        for transaction in [like(0), like(1), collision()] {
            let applied = ledger.apply(transaction).await.unwrap();
            let repeated = ActionReceipt {
                repeated: true,
                scored: true,
            };
            assert_eq!(applied.action, Some(repeated), "{name}");
        }
        let mut third = like(0);
        third.action.as_mut().unwrap().object = Some("another".into());
        for (transaction, scored) in [(third, true), (like(2), false)] {
            let applied = ledger.apply(transaction).await.unwrap();
            let new = ActionReceipt {
                repeated: false,
                scored,
            };
            assert_eq!(applied.action, Some(new), "{name}");
        }
        for ledger in ledgers {
            ledger.close().await;
        }
    }
}

/// One call erases a bounded number, the oldest first, and the next ones the rest.
#[tokio::test(flavor = "multi_thread")]
async fn many_details_go_in_several_calls() {
    const ACTIONS: i64 = 50_001;
    let home = Home::on(None);
    let ledger = open(&home).await;
    let db = Database::connect(&home.url).await.unwrap();
    let many = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ACTIONS}) \
         INSERT INTO action (action_key, token, owner, name, at, scored) \
         SELECT CAST(printf('%016d', i) AS blob), 't', 'key:a', 'post', {ACTIONS} - i, 0 FROM n"
    );
    db.execute_unprepared(&many).await.unwrap();
    let erased = ledger.erase_details(NOW).await;
    assert_eq!(erased, Ok(50_000));
    let left = action::Entity::find().filter(action::Column::IdentityKey.is_null());
    let left = left.all(&db).await.unwrap();
    assert_eq!(
        left.iter().map(|it| it.at).collect::<Vec<_>>(),
        [ACTIONS - 1]
    );
    assert_eq!(ledger.erase_details(NOW).await, Ok(1));
    db.close().await.unwrap();
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_purged_by_its_age() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home).await;
        let members = Members::new(ledger.clone());
        let five = MemberName::UserKey("five".to_owned());
        let message = Some(MessageKey {
            key: Key::of(&["message"]),
            fingerprint: Key::of(&["content"]),
            older: None,
        });
        let light = Light {
            time: 1000,
            last: NEVER,
        };
        let extend = async || members.extend_light(&five, light, message).await;
        assert_eq!(extend().await, Ok(NOW + 1000), "{name}");
        assert_eq!(ledger.purge_messages(NOW).await, Ok(0), "{name}");
        assert_eq!(extend().await, Ok(NOW + 1000), "{name}: redelivered");
        assert_eq!(ledger.purge_messages(NOW + 1).await, Ok(1), "{name}");
        assert_eq!(extend().await, Ok(NOW + 2000), "{name}: forgotten");
        ledger.close().await;
    }
}

/// The n-th action of a member who may score three times.
fn like(n: u8) -> Transaction {
    let token = n.to_string();
    let posting = Posting {
        account: AccountKey {
            owner: "key:a".into(),
            asset: "score1".into(),
        },
        kind: PostingKind::Earn {
            amount: 1,
            expires_at: NEVER,
        },
        reason: REWARD,
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    };
    Transaction {
        action: Some(Action {
            key: Key::of(&["action", &token]),
            token,
            owner: "key:a".into(),
            name: "like".into(),
            other: Some("key:other".into()),
            object: Some("a thing".into()),
            limit: Some(Limit {
                most: 3,
                from: NOW - 1000,
                until: END,
            }),
        }),
        ..Transaction::of(posting)
    }
}

/// A running program purges by `[retention]`, also by one that it takes over later.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_keeps_what_the_configuration_says() {
    let never = format!("{CONFIG}[retention]\naction_details_days = 0\n");
    let dir = ProgramDir::with_config(&never).on_sqlite();
    assert!(dir.run(&["migrate"]).status.success());
    let db = Database::connect(dir.database_url()).await.unwrap();
    let young = jiff::Timestamp::now().as_millisecond() - 29 * 86_400_000;
    for row in [
        "INSERT INTO action (action_key, token, owner, name, at, scored) VALUES (x'01', 'old', 'key:a', 'post', 1, 1)".to_owned(),
        format!("INSERT INTO action (action_key, token, owner, name, at, scored) VALUES (x'02', 'young', 'key:a', 'post', {young}, 1)"),
        "INSERT INTO message (message_key, at, result) VALUES (x'01', 1, '')".to_owned(),
        format!("INSERT INTO message (message_key, at, result) VALUES (x'02', {young}, '')"),
    ] {
        db.execute_unprepared(&row).await.unwrap();
    }
    recount(&db).await;
    let program = Program::start(&dir, &[]).await;
    let messages = async || message::Entity::find().count(&db).await.unwrap();
    while messages().await > 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let tokens = async || {
        let rows = action::Entity::find().order_by_asc(action::Column::Id);
        let rows = rows.all(&db).await.unwrap();
        rows.into_iter().map(|row| row.token).collect::<Vec<_>>()
    };
    assert_eq!(tokens().await, ["old", "young"]);
    dir.write("gateway.toml", CONFIG);
    let reloaded = dir.run(&["reload"]);
    assert!(reloaded.status.success(), "{}", text(&reloaded.stderr));
    while tokens().await != ["", "young"] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(messages().await, 1);
    program.audit();
    db.close().await.unwrap();
}
