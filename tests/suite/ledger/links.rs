//! Two names of one person who held points under both before they were linked: each account stays where it is, and either name leads to it.

use entity::{follow, member};
use futures_util::future::join_all;
use pointgate::clock::Clock;
use pointgate::ledger::book::freeze::FreezeScope;
use pointgate::ledger::book::transaction::{
    AccountKey, NEVER, Posting, PostingKind, Reason, Rejection,
};
use pointgate::ledger::read::history::Range;
use pointgate::ledger::{ApplyError, Ledger, Settings};
use pointgate::members::{LinkError, Member, MemberName, Members, ProfileChange};
use pointgate::points::EXPIRED;
use sea_orm::{ConnectionTrait, Database, EntityTrait};

use super::journal::operator;
use crate::database::{Home, databases};

const NOW: i64 = 1_779_247_832_000;

async fn open(home: &Home) -> Ledger {
    let settings = Settings {
        queue: 1000,
        batch: 16,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    let ledger = Ledger::open(&home.url, settings, Clock::new(|| NOW)).await;
    ledger.unwrap()
}

fn account(owner: &str, asset: &str) -> AccountKey {
    AccountKey {
        owner: owner.to_owned(),
        asset: asset.to_owned(),
    }
}

/// A posting that adds points, or takes them.
fn points(owner: &str, asset: &str, amount: i64) -> Posting {
    Posting {
        account: account(owner, asset),
        kind: match amount {
            1.. => PostingKind::Earn {
                amount,
                expires_at: NEVER,
            },
            _ => PostingKind::Spend {
                amount: -amount,
                order: None,
            },
        },
        reason: Reason(18),
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    }
}

async fn post(ledger: &Ledger, owner: &str, asset: &str, amount: i64) -> i64 {
    let posted = ledger.post(points(owner, asset, amount)).await;
    posted.unwrap().balance
}

/// The balance of an asset, which both names must see, at both instances; and the number of entries.
async fn seen(ledgers: &[Ledger; 2], names: [&str; 2], asset: &str) -> (Option<i64>, i64) {
    let mut all = Vec::new();
    for ledger in ledgers {
        for name in names {
            let range = Range {
                account: account(name, asset),
                direction: None,
                from: None,
                until: None,
                skip: 0,
                limit: 10,
            };
            let balance = ledger.balance(account(name, asset)).await.unwrap();
            let page = ledger.history(&range).await.unwrap();
            let since = Range {
                from: Some(0),
                ..range
            };
            let dated = ledger.history(&since).await.unwrap();
            let total = page.map_or(0, |page| page.total);
            assert_eq!(dated.map_or(0, |page| page.total), total);
            all.push((balance, total));
        }
    }
    all.dedup();
    assert_eq!(all.len(), 1, "{names:?} {asset}: {all:?}");
    all[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_asset_keeps_its_account_and_both_names_lead_to_it() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledgers = [open(&home).await, open(&home).await];
        let [one, two] = &ledgers;
        let names = ["uid:5", "key:five"];
        post(one, "uid:5", "coin", 100).await;
        post(one, "key:five", "diamond", 7).await;
        // Both have had points, and one of them has some.
        post(one, "uid:5", "score1", 3).await;
        post(one, "uid:5", "score1", -3).await;
        post(one, "key:five", "score1", 4).await;
        post(one, "uid:5", "score2", 6).await;
        post(one, "key:five", "score2", 8).await;
        post(one, "key:five", "score2", -8).await;
        let members = Members::new(one.clone());
        assert!(members.link(5, "five", operator()).await.unwrap(), "{name}");
        assert!(
            !members.link(5, "five", operator()).await.unwrap(),
            "{name}"
        );
        let report = one.audit(|_, _| {}).await.expect(name);
        assert_eq!(report.points, 100 + 7 + 4 + 6, "{name}");

        for (asset, balance, entries) in [
            ("coin", 100, 1),
            ("diamond", 7, 1),
            ("score1", 4, 1),
            ("score2", 6, 1),
        ] {
            let found = seen(&ledgers, names, asset).await;
            assert_eq!(found, (Some(balance), entries), "{name} {asset}");
            for (ledger, by) in [(one, "uid:5"), (two, "key:five")] {
                post(ledger, by, asset, 10).await;
            }
            let found = seen(&ledgers, names, asset).await;
            assert_eq!(found, (Some(balance + 20), entries + 2), "{name} {asset}");
            post(two, "key:five", asset, -balance - 20).await;
            let found = seen(&ledgers, names, asset).await;
            assert_eq!(found, (Some(0), entries + 3), "{name} {asset}");
            post(two, "uid:5", asset, 1).await;
            let found = seen(&ledgers, names, asset).await;
            assert_eq!(found, (Some(1), entries + 4), "{name} {asset}");
        }
        // An asset that neither had.
        post(two, "key:five", "new", 2).await;
        assert_eq!(post(one, "uid:5", "new", 3).await, 5, "{name}");
        assert_eq!(seen(&ledgers, names, "new").await, (Some(5), 2), "{name}");

        let record = one.journal_after(0).await.unwrap().pop().unwrap();
        let details = r#"{"kept":["-diamond","-score1","diamond","score1"],"name":"key:five","owner":"uid:5"}"#;
        assert_eq!(
            (record.kind.as_str(), record.details.as_str()),
            ("link", details)
        );
        one.audit(|_, _| {}).await.expect(name);
        for ledger in ledgers {
            ledger.close().await;
        }
    }
}

/// No name can be made to lead elsewhere by hand without the audit noticing.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_finds_a_name_that_leads_elsewhere() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home).await;
        post(&ledger, "uid:5", "coin", 100).await;
        post(&ledger, "key:five", "diamond", 7).await;
        post(&ledger, "uid:6", "coin", 5).await;
        let members = Members::new(ledger.clone());
        members.link(5, "five", operator()).await.unwrap();
        ledger.audit(|_, _| {}).await.expect(name);
        let db = Database::connect(&home.url).await.unwrap();
        for (change, back) in [
            (
                "INSERT INTO identity (name, asset, owner) VALUES ('uid:6', 'medal', 'uid:5')",
                "DELETE FROM identity WHERE name = 'uid:6'",
            ),
            (
                "INSERT INTO identity (name, asset, owner) VALUES ('uid:6', 'coin', 'uid:5')",
                "DELETE FROM identity WHERE name = 'uid:6'",
            ),
            (
                "DELETE FROM identity WHERE name = 'uid:5' AND asset = 'diamond'",
                "INSERT INTO identity (name, asset, owner) VALUES ('uid:5', 'diamond', 'key:five')",
            ),
            (
                "UPDATE identity SET owner = 'uid:6' WHERE name = 'uid:5' AND asset = 'diamond'",
                "UPDATE identity SET owner = 'key:five' WHERE name = 'uid:5' AND asset = 'diamond'",
            ),
            (
                "UPDATE identity SET asset = 'coin' WHERE name = 'key:five' AND asset = 'diamond'",
                "UPDATE identity SET asset = 'diamond' WHERE name = 'key:five' AND asset = 'coin'",
            ),
        ] {
            db.execute_unprepared(change).await.unwrap();
            let found = ledger.audit(|_, _| {}).await;
            assert!(found.is_err(), "{name}: {change}");
            db.execute_unprepared(back).await.unwrap();
            ledger.audit(|_, _| {}).await.expect(name);
        }
        db.close().await.unwrap();
        ledger.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_hold_points_of_one_asset_stay_apart() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home).await;
        for (owner, points) in [("uid:5", 100), ("key:five", 7)] {
            post(&ledger, owner, "coin", points).await;
            post(&ledger, owner, "diamond", points).await;
        }
        let members = Members::new(ledger.clone());
        let refused = members.link(5, "five", operator()).await.unwrap_err();
        let why = "uid 5 and user_key five both hold or owe points of coin, diamond";
        assert_eq!(refused.to_string(), why, "{name}");
        assert_eq!(
            ledger.balance(account("uid:5", "coin")).await,
            Ok(Some(100))
        );
        assert!(ledger.journal_after(0).await.unwrap().is_empty(), "{name}");
        // Once one of them has spent them, they can be linked.
        post(&ledger, "key:five", "coin", -7).await;
        post(&ledger, "uid:5", "diamond", -100).await;
        assert!(members.link(5, "five", operator()).await.unwrap(), "{name}");
        assert_eq!(
            ledger.balance(account("key:five", "coin")).await,
            Ok(Some(100))
        );
        assert_eq!(
            ledger.balance(account("uid:5", "diamond")).await,
            Ok(Some(7))
        );
        ledger.audit(|_, _| {}).await.expect(name);
        ledger.close().await;
    }
}

/// The link and a write at another instance may come in either order, also where the write is to an account that the link leaves behind:
/// no point is out of reach.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_during_a_link_ends_up_right() {
    const TIMES: i64 = 30;
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledgers = [open(&home).await, open(&home).await];
        let [one, two] = &ledgers;
        let members = Members::new(one.clone());
        for i in 1..=TIMES {
            let (by_uid, by_key) = (format!("uid:{i}"), format!("key:k{i}"));
            post(one, &by_uid, "coin", 1).await;
            post(one, &by_key, "coin", 2).await;
            post(one, &by_key, "coin", -2).await;
            let key = format!("k{i}");
            let link = members.link(i, &key, operator());
            let writes = (0..4).map(|n| {
                let (ledger, by) = (&ledgers[n % 2], [&by_key, &by_uid][n / 2]);
                ledger.post(points(by, "coin", 10))
            });
            let (linked, written) = tokio::join!(link, join_all(writes));
            assert!(written.iter().all(Result::is_ok), "{name} {i}: {written:?}");
            let of_uid = two.balance(account(&by_uid, "coin")).await.unwrap();
            let of_key = two.balance(account(&by_key, "coin")).await.unwrap();
            match linked {
                Ok(_) => assert_eq!((of_uid, of_key), (Some(41), Some(41)), "{name} {i}"),
                Err(LinkError::BothHold { .. }) => {
                    assert_eq!((of_uid, of_key), (Some(21), Some(20)), "{name} {i}");
                }
                Err(error) => panic!("{name} {i}: {error}"),
            }
        }
        one.audit(|_, _| {}).await.expect(name);
        for ledger in ledgers {
            ledger.close().await;
        }
    }
}

/// A freeze is for a person, whichever name and whichever of the accounts, before the link and after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_holds_for_the_accounts_under_both_names() {
    for (name, server) in databases() {
        for (frozen, first) in [
            ("uid:5", true),
            ("key:five", true),
            ("uid:5", false),
            ("key:five", false),
        ] {
            let home = Home::on(server);
            let ledger = open(&home).await;
            post(&ledger, "uid:5", "coin", 100).await;
            post(&ledger, "key:five", "diamond", 7).await;
            let members = Members::new(ledger.clone());
            let by = operator();
            let freeze = ledger.freeze(frozen, FreezeScope::All, "a leak", &by);
            let link = members.link(5, "five", operator());
            match first {
                true => {
                    freeze.await.unwrap();
                    link.await.unwrap();
                }
                false => {
                    link.await.unwrap();
                    freeze.await.unwrap();
                }
            }
            for asset in ["coin", "diamond", "new"] {
                for by in ["uid:5", "key:five"] {
                    let refused = ledger.post(points(by, asset, 1)).await;
                    let rejected = Err(ApplyError::Rejected(Rejection::Frozen));
                    assert_eq!(
                        refused, rejected,
                        "{name} {frozen} {first}: {asset} of {by}"
                    );
                }
            }
            ledger.audit(|_, _| {}).await.expect(name);
            let held = ledger.holdings("key:five").await.unwrap();
            assert_eq!(held.owner, "uid:5", "{name}");
            let all = [("coin".to_owned(), 100), ("diamond".to_owned(), 7)];
            assert_eq!(held.balances, all, "{name}");
            let lifted = ledger.unfreeze("key:five", "solved", &operator()).await;
            assert!(lifted.unwrap().is_new, "{name}");
            for asset in ["coin", "diamond", "new"] {
                post(&ledger, "uid:5", asset, 1).await;
            }
            ledger.audit(|_, _| {}).await.expect(name);
            ledger.close().await;
        }
    }
}

/// Two profiles of one person become one: what the community knows counts, and the shop's completes it.
#[tokio::test(flavor = "multi_thread")]
async fn two_profiles_become_one() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home).await;
        let members = Members::new(ledger.clone());
        let (by_uid, by_key) = (MemberName::Uid(5), MemberName::UserKey("five".into()));
        let change = |nickname: &str, location: Option<&str>| ProfileChange {
            nickname: Some(nickname.into()),
            location: location.map(str::to_owned),
            ..ProfileChange::default()
        };
        let of_uid = change("shop", Some("Nanjing"));
        members.set_profile(&by_uid, of_uid, None).await.unwrap();
        let of_key = change("community", None);
        members.set_profile(&by_key, of_key, None).await.unwrap();
        for account in ["shop", "service"] {
            members.follow(&by_uid, account, None).await.unwrap();
        }
        members.follow(&by_key, "shop", None).await.unwrap();
        assert!(members.link(5, "five", operator()).await.unwrap(), "{name}");
        let found = members.find(&by_uid).await.unwrap().unwrap();
        let expected = Member {
            id: found.id,
            uid: Some(5),
            user_key: Some("five".into()),
            nickname: Some("community".into()),
            location: Some("Nanjing".into()),
            ..Member::default()
        };
        assert_eq!(found, expected, "{name}");
        assert_eq!(members.find(&by_key).await.unwrap(), Some(found), "{name}");
        let db = Database::connect(&home.url).await.unwrap();
        let others = member::Entity::find().all(&db).await.unwrap();
        assert_eq!(others.len(), 1, "{name}");
        let mut follows: Vec<String> = follow::Entity::find()
            .all(&db)
            .await
            .unwrap()
            .into_iter()
            .map(|follow| follow.account)
            .collect();
        follows.sort_unstable();
        assert_eq!(follows, ["service", "shop"], "{name}");
        db.close().await.unwrap();
        ledger.close().await;
    }
}
