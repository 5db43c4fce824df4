//! Freezes on every database and two instances: nothing slips past one, and the audit finds one that was tampered with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use pointgate::clock::Clock;
use pointgate::ledger::book::freeze::FreezeScope::{self, All, Spending};
use pointgate::ledger::book::transaction::{
    AccountKey, NEVER, Posting, PostingKind, Reason, Rejection,
};
use pointgate::ledger::upkeep::freeze::Freeze;
use pointgate::ledger::{ApplyError, Ledger, Settings};
use pointgate::members::Members;
use pointgate::points::EXPIRED;
use sea_orm::{ConnectionTrait, Database};

use crate::database::{Home, databases};
use crate::ledger::journal::operator;

const NOW: i64 = 1_779_247_832_000;

/// A ledger, and another instance on its database.
async fn instances(home: &Home) -> [Ledger; 2] {
    let settings = Settings {
        queue: 1000,
        batch: 16,
        writers: 2,
        expiry_reason: EXPIRED,
    };
    let open = || Ledger::open(&home.url, settings, Clock::new(|| NOW));
    [open().await.unwrap(), open().await.unwrap()]
}

fn account(owner: &str, asset: &str) -> AccountKey {
    AccountKey {
        owner: owner.to_owned(),
        asset: asset.to_owned(),
    }
}

fn posting(account: AccountKey, kind: PostingKind) -> Posting {
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

fn earn(account: AccountKey, amount: i64) -> Posting {
    let expires_at = NEVER;
    posting(account, PostingKind::Earn { amount, expires_at })
}

const REFUSED: ApplyError = ApplyError::Rejected(Rejection::Frozen);

/// Once the freeze is there, no transaction that was under way on another instance commits any more, neither on an account that was
/// there before nor on a new one.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_commits_after_a_freeze() {
    const SPENDERS: usize = 24;
    const ROUNDS: usize = 6;
    for (name, server) in databases() {
        let home = Home::on(server);
        let [one, other] = instances(&home).await;
        for round in 0..ROUNDS {
            let owner = format!("uid:{round}");
            let coins = account(&owner, "coin");
            one.post(earn(coins.clone(), 1_000_000)).await.unwrap();
            let begun = Arc::new(AtomicBool::new(false));
            let spenders = (0..SPENDERS).map(|spender| {
                let ledger = [&one, &other][spender % 2].clone();
                let (owner, begun) = (owner.clone(), begun.clone());
                tokio::spawn(async move {
                    let mut done = 0_i64;
                    for number in 0.. {
                        // By turns from the account, and into one that is new.
                        let posting = match number % 2 {
                            0 => posting(
                                account(&owner, "coin"),
                                PostingKind::Spend {
                                    amount: 1,
                                    order: None,
                                },
                            ),
                            _ => earn(account(&owner, &format!("a{spender}-{number}")), 1),
                        };
                        match ledger.post(posting).await {
                            Ok(_) => done += 1,
                            Err(REFUSED) => return done,
                            Err(error) => panic!("{error}"),
                        }
                        begun.store(true, Ordering::SeqCst);
                    }
                    done
                })
            });
            let spenders: Vec<_> = spenders.collect();
            while !begun.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
            let frozen = one.freeze(&owner, All, "r", &operator()).await.expect(name);
            assert!(frozen.is_new);
            let then = one.holdings(&owner).await.unwrap();
            let done: i64 = join_all(spenders)
                .await
                .into_iter()
                .map(Result::unwrap)
                .sum();
            assert!(done > 0, "{name}");
            let now = one.holdings(&owner).await.unwrap();
            assert_eq!(now, then, "{name}");
        }
        one.audit(|_, _| {}).await.expect(name);
        one.close().await;
        other.close().await;
    }
}

/// The freezes that stand: owner, scope and reason.
async fn standing(ledger: &Ledger) -> Vec<(String, FreezeScope, String)> {
    let all = ledger.freezes_after("").await.unwrap();
    let last = all.last().map_or("", |freeze| &freeze.owner);
    assert_eq!(ledger.freezes_after(last).await.unwrap(), []);
    let shown = |it: Freeze| {
        assert_eq!(it.since, NOW);
        (it.owner, it.scope, it.reason)
    };
    all.into_iter().map(shown).collect()
}

/// A person does not get out of a freeze by a second name.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_hands_the_freeze_over() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let [one, other] = instances(&home).await;
        let members = Members::new(one.clone());
        let by = operator();
        for uid in 1..=6 {
            let coins = account(&format!("uid:{uid}"), "coin");
            one.post(earn(coins, 5)).await.unwrap();
        }
        let freezes = [
            ("key:k1", All),
            ("key:k2", Spending),
            ("uid:2", All),
            ("key:k3", All),
            ("uid:3", Spending),
            ("uid:4", Spending),
            ("key:k5", Spending),
            ("uid:5", Spending),
        ];
        for (owner, scope) in freezes {
            one.freeze(owner, scope, owner, &by).await.unwrap();
        }
        one.unfreeze("key:k5", "r", &by).await.unwrap();
        for uid in 1..=6 {
            members
                .link(uid, &format!("k{uid}"), by.clone())
                .await
                .unwrap();
        }
        let expected = [
            ("uid:1", All, "key:k1"),
            ("uid:2", All, "uid:2"),
            ("uid:3", All, "key:k3"),
            ("uid:4", Spending, "uid:4"),
            ("uid:5", Spending, "uid:5"),
        ];
        let expected = expected.map(|(owner, scope, why)| (owner.into(), scope, why.into()));
        assert_eq!(standing(&one).await, expected, "{name}");
        one.audit(|_, _| {}).await.expect(name);
        for (owner, earns, spends) in [
            ("uid:1", false, false),
            ("key:k1", false, false),
            ("key:k2", false, false),
            ("key:k4", true, false),
            ("key:k6", true, true),
        ] {
            let earned = other.post(earn(account(owner, "coin"), 1)).await;
            assert_eq!(earned.is_ok(), earns, "{name} {owner} {earned:?}");
            let spend = PostingKind::Spend {
                amount: 1,
                order: None,
            };
            let spent = other.post(posting(account(owner, "coin"), spend)).await;
            assert_eq!(spent.is_ok(), spends, "{name} {owner} {spent:?}");
        }
        // Under either name it can be lifted.
        assert!(one.unfreeze("key:k1", "r", &by).await.unwrap().is_new);
        assert!(!one.unfreeze("uid:1", "r", &by).await.unwrap().is_new);
        assert!(other.post(earn(account("key:k1", "coin"), 1)).await.is_ok());
        one.audit(|_, _| {}).await.expect(name);
        one.close().await;
        other.close().await;
    }
}

/// Statements, and what the audit says after each.
const TAMPERED: [(&str, &str); 7] = [
    (
        "DELETE FROM frozen_owner WHERE owner = 'uid:1'",
        "uid:1: journal record 1 freezes it, but it is not frozen",
    ),
    (
        "INSERT INTO frozen_owner (owner, scope, since, record) VALUES ('uid:9', 2, 0, 1)",
        "uid:9: its freeze is not the one that the journal records",
    ),
    (
        "UPDATE frozen_owner SET owner = 'uid:9' WHERE owner = 'uid:1'",
        "uid:9: its freeze is not the one that the journal records",
    ),
    (
        "UPDATE frozen_owner SET scope = 1 WHERE owner = 'uid:1'",
        "uid:1: its freeze is not the one that the journal records",
    ),
    (
        "UPDATE frozen_owner SET since = since + 1 WHERE owner = 'uid:1'",
        "uid:1: its freeze is not the one that the journal records",
    ),
    (
        "UPDATE frozen_owner SET record = 2 WHERE owner = 'uid:1'",
        "uid:1: its freeze is not the one that the journal records",
    ),
    (
        "UPDATE journal SET details = '{}' WHERE number = 2",
        "journal record 2: its hash does not match its content",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_finds_a_freeze_that_was_tampered_with() {
    for (name, server) in databases() {
        for (statement, found) in TAMPERED {
            let home = Home::on(server);
            let [one, other] = instances(&home).await;
            let by = operator();
            one.freeze("uid:1", All, "r", &by).await.unwrap();
            one.freeze("uid:2", All, "r", &by).await.unwrap();
            one.unfreeze("uid:2", "r", &by).await.unwrap();
            one.audit(|_, _| {}).await.expect(name);
            let db = Database::connect(&home.url).await.unwrap();
            let done = db.execute_unprepared(statement).await.unwrap();
            assert_eq!(done.rows_affected(), 1, "{name} {statement}");
            let error = one.audit(|_, _| {}).await.unwrap_err();
            assert_eq!(error.to_string(), found, "{name} {statement}");
            db.close().await.unwrap();
            one.close().await;
            other.close().await;
        }
    }
}

/// The migration goes on where it was cut off, as MySQL commits each of its steps by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_cut_off_goes_on() {
    for (name, server) in databases() {
        let home = Home::on(server);
        for ledger in instances(&home).await {
            ledger.close().await;
        }
        let db = Database::connect(&home.url).await.unwrap();
        let unrecorded =
            "DELETE FROM seaql_migrations WHERE version = 'm20261126_000023_frozen_owner'";
        let deleted = db.execute_unprepared(unrecorded).await.unwrap();
        assert_eq!(deleted.rows_affected(), 1, "{name}");
        db.close().await.unwrap();
        let [one, other] = instances(&home).await;
        one.freeze("uid:1", All, "r", &operator())
            .await
            .expect(name);
        one.close().await;
        other.close().await;
    }
}
