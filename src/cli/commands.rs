//! What each command does.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::ledger::Ledger;
use crate::ledger::upkeep::audit::Report;
use crate::members::Members;
use crate::points::calendar::Calendar;
use crate::server;

/// How long after a failure lapsing is tried again.
const EXPIRE_AGAIN: Duration = Duration::from_secs(60);
/// How often nonces are swept, at least.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// The most characters of a user_key.
const LONGEST_KEY: usize = 255;

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: &Config) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    log::info!("configuration: {}", config.source);
    if !config.samples.is_empty() {
        log::warn!(
            "SAMPLE KEYS in use, anyone can sign with them: {}",
            config.samples.join(", ")
        );
    }
    if config.yoho.debug.is_some() {
        log::warn!(
            "yoho.debug is on: requests with that word from yoho.debug_from need no client_secret"
        );
    }
    let running = server::start(config, Clock::system()).await?;
    log::info!("listening on {}", running.address);
    let (ledger, window) = (running.ledger.clone(), config.openapi.window);
    let (daily_ledger, daily_config) = (ledger.clone(), config.clone());
    let daily = tokio::spawn(keep_running("the daily expiry", move || {
        expire_daily(daily_ledger.clone(), daily_config.clone())
    }));
    let sweeping = tokio::spawn(keep_running("the purge", move || {
        sweep_nonces(ledger.clone(), window)
    }));
    tokio::select! {
        _ = terminate.recv() => log::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => log::info!("SIGINT: stopping"),
    }
    daily.abort();
    sweeping.abort();
    running.stop().await;
    log::info!("stopped");
    Ok(())
}

/// Brings the schema up to date.
pub async fn migrate(config: &Config) -> Result<(), String> {
    let ledger = server::open_ledger(config, Clock::system()).await?;
    ledger.close().await;
    println!("{} is up to date", config.database.shown());
    Ok(())
}

/// Says what the configuration comes to; its mistakes have been told before.
pub fn check_config(config: &Config, endpoints: &Endpoints) -> Result<(), String> {
    println!("{} is good", config.source);
    println!(
        "listens on {}, keeps its ledger in {}",
        config.server.listen,
        config.database.shown()
    );
    for endpoint in endpoints {
        println!("{}", endpoint.summary());
    }
    match config.amqp.url {
        Some(_) => println!("consumes messages of the broker from {}", config.amqp.queue),
        None => println!("consumes no messages: amqp.url is not given"),
    }
    if !config.samples.is_empty() {
        println!(
            "still has sample keys, and so listens on this machine only: {}",
            config.samples.join(", ")
        );
    }
    Ok(())
}

/// Lapses what is due now, or by the end of a day.
pub async fn expire(config: &Config, at: Option<Date>) -> Result<(), String> {
    let ledger = open_existing(config).await?;
    let due_by = match at {
        None => ledger.now(),
        Some(day) => start_of(config, day.tomorrow().map_err(|error| error.to_string())?)?,
    };
    let expired = ledger.expire(due_by).await;
    ledger.close().await;
    let accounts = expired.map_err(|error| error.to_string())?;
    println!("lapsed what was due in {accounts} accounts");
    Ok(())
}

/// Joins the two names of one person.
pub async fn link(config: &Config, uid: i64, user_key: &str) -> Result<(), String> {
    if user_key.is_empty() || user_key.chars().nth(LONGEST_KEY).is_some() {
        return Err(format!("a user_key has 1 to {LONGEST_KEY} characters"));
    }
    let ledger = server::open_ledger(config, Clock::system()).await?;
    let linked = Members::new(ledger.clone()).link(uid, user_key).await;
    ledger.close().await;
    linked.map_err(|error| format!("not linked: {error}"))?;
    println!("uid {uid} and user_key {user_key} are one person");
    Ok(())
}

/// Lists what the provider told of payments.
pub async fn payments(config: &Config, order: Option<&str>) -> Result<(), String> {
    let ledger = open_existing(config).await?;
    let payments = Members::new(ledger.clone()).payments(order).await;
    let calendar = Calendar::new(config.timezone.clone());
    ledger.close().await;
    let payments = payments.map_err(|error| error.to_string())?;
    for payment in &payments {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let number = |number: Option<i64>| number.map_or("-".to_owned(), |it| it.to_string());
        let paid = payment
            .time_paid
            .map(|at| calendar.write(at.saturating_mul(1000)));
        println!(
            "{}  {}  {}  order {}  {} {}  {}  paid {}  for {}",
            calendar.write(payment.at),
            payment.kind,
            text(&payment.object),
            text(&payment.order_no),
            number(payment.amount),
            text(&payment.currency),
            text(&payment.channel),
            text(&paid),
            text(&payment.user_key),
        );
    }
    println!("{} events", payments.len());
    Ok(())
}

/// Recomputes the books and says what is off.
pub async fn audit(config: &Config) -> Result<(), String> {
    let ledger = open_existing(config).await?;
    let bar = bar("{wide_bar} {human_pos}/{human_len} entries, {eta} left");
    let audited = ledger
        .audit(|done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await;
    bar.finish_and_clear();
    ledger.close().await;
    let report = audited.map_err(|error| format!("the books are off: {error}"))?;
    println!("{}", right(&report));
    Ok(())
}

/// What is said of an audit that found nothing wrong.
pub fn right(report: &Report) -> String {
    format!(
        "the books are right: {} accounts, {} entries, {} points",
        report.accounts, report.entries, report.points
    )
}

/// A bar that shows how far something is.
pub fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Unlike `serve`, a command that looks at a ledger does not make one.
async fn open_existing(config: &Config) -> Result<Ledger, String> {
    if !Ledger::exists(&config.database.url) {
        return Err(format!("there is no ledger at {}", config.database.shown()));
    }
    server::open_ledger(config, Clock::system()).await
}

fn start_of(config: &Config, day: Date) -> Result<i64, String> {
    let start = day
        .to_zoned(config.timezone.clone())
        .map_err(|error| error.to_string())?;
    Ok(start.timestamp().as_millisecond())
}

/// Runs a task that has no end, and again after a pause if it panics.
async fn keep_running<F: Future<Output = ()>>(name: &str, task: impl Fn() -> F) {
    while AssertUnwindSafe(task()).catch_unwind().await.is_err() {
        log::error!("{name} panicked: it starts again in {EXPIRE_AGAIN:?}");
        tokio::time::sleep(EXPIRE_AGAIN).await;
    }
}

/// Lapses what is due at once, and then a moment after each local midnight.
async fn expire_daily(ledger: Ledger, config: Config) {
    loop {
        match ledger.expire(ledger.now()).await {
            Ok(0) => {}
            Ok(accounts) => log::info!("lapsed what was due in {accounts} accounts"),
            Err(error) => {
                log::error!("lapsing what is due failed, again in {EXPIRE_AGAIN:?}: {error}");
                tokio::time::sleep(EXPIRE_AGAIN).await;
                continue;
            }
        }
        let now = ledger.now();
        let today = Timestamp::from_millisecond(now)
            .unwrap_or_default()
            .to_zoned(config.timezone.clone())
            .date();
        let midnight = start_of(&config, today.saturating_add(1.day())).unwrap_or(now);
        let wait = u64::try_from(midnight - now).unwrap_or(0) + 1000;
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

/// Forgets nonces whose time is over, for one window longer than they can be used.
async fn sweep_nonces(ledger: Ledger, window: Duration) {
    let keep = i64::try_from(2 * window.as_millis()).unwrap_or(i64::MAX);
    loop {
        // The error is in the log already, and the next round is another try.
        let _ = ledger.purge(ledger.now().saturating_sub(keep)).await;
        tokio::time::sleep(window.min(SWEEP_EVERY)).await;
    }
}
