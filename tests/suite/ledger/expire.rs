//! `pointgate expire`: lots expire once, when they are due, whether or not the program runs beside it.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{ToSpan, Zoned};
use pointgate::clock::Clock;
use pointgate::ledger::book::transaction::{AccountKey, Posting, PostingKind, Reason};
use pointgate::ledger::database::Database;
use pointgate::ledger::database::lease::{EXPIRY, Lease};
use pointgate::ledger::{Ledger, Settings};
use pointgate::points::EXPIRED;
use sea_orm::ConnectionTrait;

use super::write_load::history;
use crate::database::{Home, databases};
use crate::program::{CONFIG, Client, Program, ProgramDir, text};

const UID: &str = "50030141";
/// A day by which everything that the tests earn has expired.
const FAR: &str = "2099-12-31";

#[tokio::test]
async fn due_lots_expire_once_in_a_stopped_program() {
    let mut program = Program::new().await;
    earn(&program.client(), "100", "a").await;
    earn(&program.client(), "20", "b").await;
    assert!(program.terminate().await.success());
    assert_eq!(expire(&program.dir, FAR), "expired points in 1 accounts\n");
    assert_eq!(expire(&program.dir, FAR), "expired points in 0 accounts\n");
    program.audit();
    program.restart().await;
    assert_expired(&program, 120).await;
}

#[tokio::test]
async fn due_lots_expire_once_beside_a_running_program() {
    let program = Program::new().await;
    earn(&program.client(), "100", "a").await;
    assert_eq!(expire(&program.dir, FAR), "expired points in 1 accounts\n");
    assert_eq!(expire(&program.dir, FAR), "expired points in 0 accounts\n");
    assert_expired(&program, 100).await;
    earn(&program.client(), "5", "b").await;
    assert_eq!(program.client().total(UID).await, 5, "it goes on");
    program.audit();
}

#[tokio::test]
async fn lots_that_are_not_due_stay() {
    let dir = ProgramDir::with_config(&format!(
        "{CONFIG}[yoho.expiry]\nrule = 'days'\ndays = 30\n"
    ));
    let mut program = Program::start(&dir, &[]).await;
    earn(&program.client(), "100", "in 30 days").await;
    assert!(program.terminate().await.success());
    dir.write("gateway.toml", CONFIG);
    program.restart().await;
    earn(&program.client(), "20", "in a year or two").await;
    let day = |days: i64| Zoned::now().date().saturating_add(days.days()).to_string();
    let expires = |days, accounts| {
        let output = format!("expired points in {accounts} accounts\n");
        assert_eq!(expire(&dir, &day(days)), output, "in {days} days");
    };
    expires(0, 0);
    expires(20, 0);
    assert_eq!(program.client().total(UID).await, 120);
    expires(100, 1);
    assert_eq!(program.client().total(UID).await, 20);
    expires(100, 0);
    program.audit();
    expires(800, 1);
    assert_eq!(program.client().total(UID).await, 0);
    program.audit();
}

#[test]
fn without_a_day_it_expires_what_is_due_now() {
    let dir = ProgramDir::new();
    assert!(dir.run(&["migrate"]).status.success());
    let out = dir.run(&["expire"]);
    assert_eq!(text(&out.stdout), "expired points in 0 accounts\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_after_today_needs_a_yes() {
    let dir = ProgramDir::new();
    let program = Program::start(&dir, &[]).await;
    let client = program.client();
    earn(&client, "70", "a").await;
    earn(&client, "5", "b").await;
    let would = "would expire 75 points of coin in 1 accounts\n";
    let dry = dir.run(&["expire", "--at", "2099-12-31", "--dry-run"]);
    assert!(dry.status.success(), "{}", text(&dry.stderr));
    assert_eq!(text(&dry.stdout), would);
    let dry = dir.run(&["expire", "--dry-run"]);
    assert_eq!(text(&dry.stdout), "would expire nothing\n");
    let unconfirmed = dir.run(&["expire", "--at", "2099-12-31"]);
    assert_eq!(unconfirmed.status.code(), Some(1));
    assert_eq!(text(&unconfirmed.stdout), would);
    assert!(text(&unconfirmed.stderr).contains("add --yes"));
    assert_eq!(client.total(UID).await, 75);
    // What is due by the end of today may expire without it.
    let today = jiff::Zoned::now().in_tz("Asia/Shanghai").unwrap().date();
    let today = dir.run(&["expire", "--at", &today.to_string()]);
    assert_eq!(text(&today.stdout), "expired points in 0 accounts\n");
    assert_eq!(expire(&dir, "2099-12-31"), "expired points in 1 accounts\n");
    assert_eq!(client.total(UID).await, 0);
}

#[test]
fn a_wrong_day_is_refused() {
    let dir = ProgramDir::new();
    assert!(dir.run(&["migrate"]).status.success());
    for day in ["2099-02-30", "tomorrow", "31.12.2099", ""] {
        let out = dir.run(&["expire", "--at", day]);
        assert_eq!(out.status.code(), Some(2), "{day:?}");
        assert!(text(&out.stderr).contains("--at"), "{day:?}");
    }
}

#[test]
fn it_creates_no_ledger() {
    let dir = ProgramDir::new().on_sqlite();
    let out = dir.run(&["expire"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("there is no ledger at sqlite://"));
    assert!(!dir.path("data").exists());
}

async fn earn(client: &Client, num: &str, reference: &str) {
    client
        .call_ok(&[
            ("method", "app.yohocoin.get"),
            ("uid", UID),
            ("num", num),
            ("type", "18"),
            ("referenceId", reference),
        ])
        .await;
}

/// Runs the command. Returns its output.
#[track_caller]
fn expire(dir: &ProgramDir, at: &str) -> String {
    let out = dir.run(&["expire", "--at", at, "--yes"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    text(&out.stdout)
}

async fn assert_expired(program: &Program, coins: i64) {
    let client = program.client();
    assert_eq!(client.total(UID).await, 0);
    let list = [("method", "app.yohocoin.lists"), ("uid", UID)];
    let row = client.call_ok(&list).await["coinlist"][0].clone();
    assert_eq!(row["num"], -coins);
    assert_eq!(row["type"], 16);
    assert_eq!(row["title"], "积分过期");
    assert_eq!(row["message"], "积分过期");
    assert_eq!(row.get("key"), None);
    let entries = history(&client, UID).await;
    let expiries = entries.iter().filter(|row| row.kind == 16).count();
    assert_eq!(expiries, 1, "a lot expires once");
    program.audit();
}

async fn open(url: &str, now: i64) -> Ledger {
    let settings = Settings {
        queue: 1000,
        batch: 64,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    let clock = Clock::new(move || now);
    Ledger::open(url, settings, clock).await.unwrap()
}

/// More accounts than one batch has.
const ACCOUNTS: usize = 600;
const DUE: i64 = 1_779_247_832_000;

async fn fill(ledger: &Ledger) {
    let earn = |n: usize| Posting {
        account: AccountKey {
            owner: format!("uid:{n}"),
            asset: "coin".into(),
        },
        kind: PostingKind::Earn {
            amount: 5,
            expires_at: DUE,
        },
        reason: Reason(18),
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    };
    let posted = join_all((1..=ACCOUNTS).map(|n| ledger.post(earn(n)))).await;
    assert!(posted.iter().all(Result::is_ok));
}

/// However they share the work, each lot expires once.
#[tokio::test(flavor = "multi_thread")]
async fn two_instances_expire_each_account_once() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledgers = [open(&home.url, DUE - 1).await, open(&home.url, DUE).await];
        fill(&ledgers[0]).await;
        let (one, other) = tokio::join!(ledgers[0].expire(DUE), ledgers[1].expire(DUE));
        assert_eq!(one.unwrap() + other.unwrap(), ACCOUNTS, "{name}");
        for ledger in &ledgers {
            assert_eq!(ledger.expire(DUE).await, Ok(0), "{name}");
            let report = ledger.audit(|_, _| {}).await.expect(name);
            let counts = (report.accounts, report.entries, report.points);
            assert_eq!(counts, (600, 1200, 0), "{name}");
        }
        for ledger in ledgers {
            ledger.close().await;
        }
    }
}

/// An instance that died in the middle leaves a lease behind, and the next one goes on once that has ended.
#[tokio::test(flavor = "multi_thread")]
async fn expiry_goes_on_after_an_instance_that_died() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let ledger = open(&home.url, DUE).await;
        fill(&open(&home.url, DUE - 1).await).await;
        let dead = Database::open(&home.url, 1).await.unwrap();
        assert!(Lease::new(&dead, EXPIRY).take().await.unwrap(), "{name}");
        let mut expiry = Box::pin(ledger.expire(DUE));
        let waits = tokio::time::timeout(Duration::from_millis(500), &mut expiry).await;
        assert!(waits.is_err(), "{name}: it waits for the lease");
        assert_eq!(ledger.due(DUE).await.unwrap()["coin"].points, 3000);
        let db = dead.begin_write().await.unwrap();
        let over = db.execute_unprepared("UPDATE lease SET ends_at = 1").await;
        over.unwrap();
        db.commit().await.unwrap();
        assert_eq!(expiry.await, Ok(ACCOUNTS), "{name}");
        dead.close().await.unwrap();
        ledger.close().await;
    }
}
