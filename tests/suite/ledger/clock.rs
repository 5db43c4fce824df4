//! A clock that is wrong destroys nothing: nothing is written, expires or is deleted until it is right again or confirmed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pointgate::clock::Clock;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{AccountKey, Posting, PostingKind, Reason};
use pointgate::ledger::database::clock::ClockSource;
use pointgate::ledger::read::history::Range;
use pointgate::ledger::upkeep::key_uses::LastUse;
use pointgate::ledger::{ApplyError, Ledger, ReadError, Settings};
use pointgate::members::{ChangeError, MemberName, Members, ProfileChange};
use pointgate::points::EXPIRED;
use sea_orm::ConnectionTrait;

use super::journal::operator;
use crate::cli::copy::fixture::{dirs_on_every_database, open, rows};
use crate::database::{Home, databases};
use crate::program::{Client, Program, text};

const BOUND: Duration = Duration::from_secs(72 * 3600);
const DAY: i64 = 86_400_000;
/// Twelve years.
const FAR: i64 = 12 * 365 * DAY;

/// The time of this machine, which a database server has too.
fn real() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

async fn ledger(home: &Home, now: &Arc<AtomicI64>) -> Ledger {
    let settings = Settings {
        queue: 100,
        batch: 10,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    let now = now.clone();
    let clock = Clock::new(move || now.load(Ordering::SeqCst));
    let ledger = Ledger::open(&home.url, settings, clock).await.unwrap();
    ledger.guard_clock(BOUND).await.unwrap();
    ledger
}

fn clock(now: i64) -> Arc<AtomicI64> {
    Arc::new(AtomicI64::new(now))
}

fn account() -> AccountKey {
    AccountKey {
        owner: "uid:5".into(),
        asset: "coin".into(),
    }
}

fn earn(expires_at: i64) -> Posting {
    Posting {
        account: account(),
        kind: PostingKind::Earn {
            amount: 5,
            expires_at,
        },
        reason: Reason(18),
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    }
}

fn whole_history() -> Range {
    Range {
        account: account(),
        direction: None,
        from: None,
        until: None,
        skip: 0,
        limit: 10,
    }
}

/// Nothing that depends on the time is done.
async fn assert_stands_still(ledger: &Ledger, name: &str) {
    let (now, unavailable) = (ledger.now(), Err(ApplyError::Unavailable));
    assert_eq!(
        ledger.post(earn(i64::MAX)).await,
        Err(ApplyError::Unavailable),
        "{name}"
    );
    assert_eq!(
        ledger.expire(now).await,
        Err(ApplyError::Unavailable),
        "{name}"
    );
    for purged in [
        ledger.purge_nonces(now).await,
        ledger.purge_limits(now).await,
        ledger.purge_messages(now).await,
    ] {
        assert_eq!(purged, unavailable, "{name}");
    }
    let erased = ledger.erase_details(now).await;
    assert_eq!(erased, Err(ApplyError::Unavailable), "{name}");
    let used = LastUse {
        key: Key::of(&["key"]),
        since: now,
        used_at: Some(now),
    };
    let noted = ledger.note_key_uses(&[used]).await;
    assert_eq!(noted, Err(ApplyError::Unavailable), "{name}");
    // Points that are due by this clock would be missing in an answer.
    assert_eq!(
        ledger.balance(account()).await,
        Err(ReadError::Unavailable),
        "{name}"
    );
    assert!(ledger.history(&whole_history()).await.is_err(), "{name}");
    assert!(ledger.expiring(&account(), now).await.is_err(), "{name}");
    let five = MemberName::Uid(5);
    let change = ProfileChange {
        nickname: Some("n".into()),
        ..ProfileChange::default()
    };
    let changed = Members::new(ledger.clone())
        .set_profile(&five, change, None)
        .await;
    assert_eq!(
        changed,
        Err(ChangeError::Read(ReadError::Unavailable)),
        "{name}"
    );
    assert!(!ledger.ready().await, "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_a_wrong_clock_changes_nothing() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let now = clock(real());
        let right = ledger(&home, &now).await;
        right.post(earn(real() + 365 * DAY)).await.unwrap();
        right.close().await;
        let before = rows(&home.url).await;
        for off in [FAR, -FAR, -real()] {
            let wrong = clock(real() + off);
            let wrong = ledger(&home, &wrong).await;
            let gap = wrong.clock_gap().expect(name);
            let source = match server {
                Some(_) => ClockSource::Database,
                None => ClockSource::Ledger,
            };
            assert_eq!(gap.source, source, "{name}");
            assert_stands_still(&wrong, name).await;
            wrong.compare_clock().await.unwrap();
            assert!(wrong.clock_gap().is_some(), "{name}");
            wrong.close().await;
            assert_eq!(rows(&home.url).await, before, "{name}");
        }
        now.store(real(), Ordering::SeqCst);
        let right = ledger(&home, &now).await;
        assert_eq!(right.balance(account()).await, Ok(Some(5)), "{name}");
        assert!(right.ready().await, "{name}");
        right.audit(|_, _| {}).await.expect(name);
        right.close().await;
    }
}

/// Points expire by the clock that runs on, and by no time that it only jumps to.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_stops_the_ledger_until_it_is_back() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let now = clock(real());
        let ledger = ledger(&home, &now).await;
        ledger.post(earn(real() + 365 * DAY)).await.unwrap();
        for off in [FAR, -FAR] {
            now.store(real() + off, Ordering::SeqCst);
            assert_stands_still(&ledger, name).await;
            ledger.compare_clock().await.unwrap();
            assert_stands_still(&ledger, name).await;
            now.store(real(), Ordering::SeqCst);
            // It is compared every few seconds.
            ledger.compare_clock().await.unwrap();
            assert_eq!(ledger.clock_gap(), None, "{name}");
            assert_eq!(ledger.balance(account()).await, Ok(Some(5)), "{name}");
        }
        ledger.close().await;
    }
}

/// The time that the ledger saw is unknown after an upgrade or a copy, but its entries have theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_has_seen_no_time_goes_by_its_entries() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let now = clock(real());
        let right = ledger(&home, &now).await;
        assert_eq!(right.clock_gap(), None, "{name}: a new ledger");
        right.post(earn(i64::MAX)).await.unwrap();
        right.close().await;
        let db = open(&home.url).await;
        let forget = db.execute_unprepared("UPDATE clock SET seen_at = NULL");
        forget.await.unwrap();
        db.close().await.unwrap();
        let wrong = ledger(&home, &clock(real() + FAR)).await;
        assert!(wrong.clock_gap().is_some(), "{name}");
        wrong.close().await;
        let right = ledger(&home, &now).await;
        assert_eq!(right.clock_gap(), None, "{name}");
        right.close().await;
    }
}

/// An operator who knows better is believed, also against the database server, and the journal says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_confirmed_is_trusted() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let right = ledger(&home, &clock(real())).await;
        let (there, other) = (clock(real() + FAR), clock(real() + FAR));
        let ledgers = [ledger(&home, &there).await, ledger(&home, &other).await];
        let [one, two] = &ledgers;
        assert_stands_still(one, name).await;
        one.confirm_clock(operator()).await.unwrap();
        for ledger in [one, two] {
            ledger.compare_clock().await.unwrap();
            assert_eq!(ledger.clock_gap(), None, "{name}");
            ledger.post(earn(i64::MAX)).await.unwrap();
        }
        // Of two clocks one is wrong, and that is now the other one.
        right.compare_clock().await.unwrap();
        assert_stands_still(&right, name).await;
        let records = one.journal_after(0).await.unwrap();
        assert_eq!(records.len(), 1, "{name}");
        assert_eq!(records[0].kind, "clock", "{name}");
        let now = format!(r#""now":{}"#, there.load(Ordering::SeqCst));
        assert!(records[0].details.contains(&now), "{}", records[0].details);
        one.audit(|_, _| {}).await.expect(name);
        for ledger in ledgers {
            ledger.close().await;
        }
        right.close().await;
    }
}

/// A page of the server's own: its status and its text.
async fn page(client: &Client, path: &str) -> (u16, String) {
    let response = client.http.get(format!("{}{path}", client.base)).send();
    let response = response.await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The program itself, with a ledger that saw another time.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_says_that_it_stands_still_and_goes_on_once_confirmed() {
    for dir in dirs_on_every_database() {
        assert!(dir.run(&["migrate"]).status.success());
        let shown = dir.run(&["clock"]);
        assert!(shown.status.success(), "{}", text(&shown.stderr));
        assert!(text(&shown.stdout).ends_with("the clock is trusted\n"));
        let db = open(&dir.database_url()).await;
        let seen = format!("UPDATE clock SET seen_at = {}", real() - FAR);
        db.execute_unprepared(&seen).await.unwrap();
        let program = Program::start(&dir, &[]).await;
        let client = program.client();
        let not_ready = (503, "the clock is not trusted\n".to_owned());
        assert_eq!(page(&client, "/readyz").await, not_ready);
        let metrics = page(&client, "/metrics").await.1;
        assert!(
            metrics.contains("\npointgate_clock_trusted 0\n"),
            "{metrics}"
        );
        let earned = [
            ("method", "app.yohocoin.get"),
            ("uid", "5"),
            ("num", "100"),
            ("type", "18"),
            ("referenceId", "r"),
        ];
        assert_eq!(client.call(&earned).await.unwrap().code(), 500);
        let why = "the clock is 105120 hours ahead of the time that the ledger saw last";
        for command in [
            &["expire"][..],
            &["forget", "uid:5", "--yes"],
            &["link", "--uid", "5", "--user-key", "five"],
            &["clock"],
        ] {
            let out = dir.run(command);
            assert_eq!(out.status.code(), Some(1), "{command:?}");
            assert!(text(&out.stderr).contains(why), "{}", text(&out.stderr));
        }
        let confirmed = dir.run(&["clock", "--confirm"]);
        assert!(confirmed.status.success(), "{}", text(&confirmed.stderr));
        assert!(text(&confirmed.stdout).starts_with("confirmed the clock: it is 20"));
        while page(&client, "/readyz").await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        client.call_ok(&earned).await;
        let metrics = page(&client, "/metrics").await.1;
        assert!(
            metrics.contains("\npointgate_clock_trusted 1\n"),
            "{metrics}"
        );
        assert!(dir.run(&["clock"]).status.success());
        program.audit();
        db.close().await.unwrap();
    }
}
