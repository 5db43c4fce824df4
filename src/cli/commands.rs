//! The commands `serve`, `migrate`, `check-config`, `expire`, `link`, `payments` and `audit`.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use tokio::signal::unix::{SignalKind, signal};

use super::log_lines::LogGuard;
use super::output::{self, Escaped};
use crate::clock::Clock;
use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::gateway::value::is_storable;
use crate::ledger::Ledger;
use crate::ledger::upkeep::audit::Report;
use crate::members::Members;
use crate::points::calendar::Calendar;
use crate::server;

/// The delay before a background task that failed or panicked runs again.
const RETRY_DELAY: Duration = Duration::from_secs(60);
/// The longest pause between two purges.
const PURGE_INTERVAL: Duration = Duration::from_secs(10);

/// The most characters of a user_key.
const MAX_USER_KEY: usize = 255;

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: &Config, log: &LogGuard) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    log::info!("configuration: {}", config.source);
    if !config.samples.is_empty() {
        log::warn!(
            "SAMPLE SECRETS in use, anyone can sign requests with them: {}",
            config.samples.join(", ")
        );
    }
    let short = config.yoho.clients.iter().filter(|(_, it)| it.is_short);
    let short: Vec<&str> = short.map(|(name, _)| name.as_str()).collect();
    if let Some(first) = short.first() {
        log::info!(
            "[yoho.client_keys] lets {} call everything from everywhere without a limit; write [yoho.clients.{first}] with key, allow, \
             from, max_points and max_points_per_day instead",
            short.join(", ")
        );
    }
    if config.yoho.debug.is_some() {
        log::warn!(
            "DEBUG IS ON: requests with debug=<yoho.debug> from yoho.debug_from need no signature and may call {}; they can give any \
             number of points, and pointgate_debug_requests_total counts them",
            config.yoho.debug_methods.join(", ")
        );
    }
    let running = server::start(config, Clock::system()).await?;
    let help = "Log lines that standard error did not take in time";
    running
        .metrics()
        .register("pointgate_log_lines_dropped", help, log.dropped());
    log::info!("listening on {}", running.address);
    let (ledger, window) = (running.ledger.clone(), config.openapi.window);
    let (expiry_ledger, expiry_config) = (ledger.clone(), config.clone());
    let expiry = tokio::spawn(keep_running("the daily expiry", move || {
        expire_daily(expiry_ledger.clone(), expiry_config.clone())
    }));
    let purge = tokio::spawn(keep_running("the purge", move || {
        purge_periodically(ledger.clone(), window)
    }));
    tokio::select! {
        _ = terminate.recv() => log::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => log::info!("SIGINT: stopping"),
    }
    expiry.abort();
    purge.abort();
    running.stop().await;
    log::info!("stopped");
    Ok(())
}

/// Creates the database's tables or brings them up to date.
pub async fn migrate(config: &Config) -> Result<(), String> {
    let ledger = server::open_ledger(config, Clock::system()).await?;
    ledger.close().await;
    let shown = config.database.shown();
    output::line(format_args!(
        "the schema of {} is up to date",
        Escaped(shown)
    ))
}

/// Summarises a valid configuration; [`Config::load`] has reported the errors of an invalid one.
pub fn check_config(config: &Config, endpoints: &Endpoints) -> Result<(), String> {
    let mut lines = vec![
        format!("{} is valid", config.source),
        format!(
            "listens on {}, ledger in {}",
            config.server.listen,
            config.database.shown()
        ),
    ];
    lines.extend(endpoints.iter().map(|endpoint| endpoint.summary()));
    lines.push(match config.amqp.url {
        Some(_) => format!("consumes messages from the queue {}", config.amqp.queue),
        None => "consumes no messages: amqp.url is not set".to_owned(),
    });
    if !config.samples.is_empty() {
        lines.push(format!(
            "sample secrets in use, so it listens on this machine only: {}",
            config.samples.join(", ")
        ));
    }
    lines
        .iter()
        .try_for_each(|line| output::line(Escaped(line)))
}

/// Expires the points that are due now, or by the end of the day `at`.
pub async fn expire(config: &Config, at: Option<Date>) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger(config, Clock::system()).await?;
    let due_by = match at {
        None => ledger.now(),
        Some(day) => start_of(config, day.tomorrow().map_err(|error| error.to_string())?)?,
    };
    let expired = ledger.expire(due_by).await;
    ledger.close().await;
    let accounts = expired.map_err(|error| error.to_string())?;
    output::line(format_args!("expired points in {accounts} accounts"))
}

/// Links a uid and a user_key that belong to one person.
pub async fn link(config: &Config, uid: i64, user_key: &str) -> Result<(), String> {
    let fits = !user_key.is_empty() && user_key.chars().nth(MAX_USER_KEY).is_none();
    if !fits || !is_storable(user_key) {
        return Err(format!(
            "a user_key has 1 to {MAX_USER_KEY} characters, none of them a control character"
        ));
    }
    let ledger = server::open_ledger(config, Clock::system()).await?;
    let linked = Members::new(ledger.clone()).link(uid, user_key).await;
    ledger.close().await;
    linked.map_err(|error| format!("cannot link: {error}"))?;
    output::line(format_args!("linked uid {uid} and user_key {user_key}"))
}

/// Lists the payment events received from Ping++.
pub async fn payments(config: &Config, order: Option<&str>) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let payments = Members::new(ledger.clone()).payments(order).await;
    let calendar = Calendar::new(config.timezone.clone());
    ledger.close().await;
    let payments = payments.map_err(|error| error.to_string())?;
    for payment in &payments {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let number = |number: Option<i64>| number.map_or("-".to_owned(), |it| it.to_string());
        let paid = payment
            .time_paid
            .map(|at| calendar.format(at.saturating_mul(1000)));
        // Only a refund has a subject that it does not name as its own object.
        let is_refund = payment.charge_id.is_none() && payment.subject != payment.event_id;
        let refunds = match is_refund {
            true => format!("  charge {}", payment.subject),
            false => String::new(),
        };
        output::line(Escaped(format_args!(
            "{}  {}  {}  order {}  {} {}  {}  paid {}  for {}{refunds}",
            calendar.format(payment.at),
            payment.kind,
            text(&payment.object),
            text(&payment.order_no),
            number(payment.amount),
            text(&payment.currency),
            text(&payment.channel),
            text(&paid),
            text(&payment.user_key),
        )))?;
    }
    output::line(format_args!("{} events", payments.len()))
}

/// Recomputes the ledger from its entries; fails with the first discrepancy.
pub async fn audit(config: &Config) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let bar = progress_bar("{wide_bar} {human_pos}/{human_len} entries, {eta} left");
    let audited = ledger
        .audit(|done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await;
    bar.finish_and_clear();
    ledger.close().await;
    let report = audited.map_err(|error| format!("audit failed: {error}"))?;
    output::line(audit_passed(&report))
}

/// The result line of an audit that found no discrepancy.
pub fn audit_passed(report: &Report) -> String {
    format!(
        "audit passed: {} accounts, {} entries, {} points",
        report.accounts, report.entries, report.points
    )
}

/// A progress bar with this template.
pub fn progress_bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Refuses a ledger that is not there, which opening it would create.
fn check_existence(config: &Config) -> Result<(), String> {
    match Ledger::exists(config.database.url.reveal()) {
        true => Ok(()),
        false => Err(format!("there is no ledger at {}", config.database.shown())),
    }
}

/// The first instant of a day, in ms since 1970-01-01 UTC.
fn start_of(config: &Config, day: Date) -> Result<i64, String> {
    let start = day
        .to_zoned(config.timezone.clone())
        .map_err(|error| error.to_string())?;
    Ok(start.timestamp().as_millisecond())
}

/// Runs an endless task, and restarts it after a delay if it panics.
async fn keep_running<F: Future<Output = ()>>(name: &str, task: impl Fn() -> F) {
    while AssertUnwindSafe(task()).catch_unwind().await.is_err() {
        log::error!("{name} panicked, restarting in {RETRY_DELAY:?}");
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

/// Expires the points that are due: now, and then one second after each local midnight.
async fn expire_daily(ledger: Ledger, config: Config) {
    loop {
        match ledger.expire(ledger.now()).await {
            Ok(0) => {}
            Ok(accounts) => log::info!("expired points in {accounts} accounts"),
            Err(error) => {
                log::error!("cannot expire points, retrying in {RETRY_DELAY:?}: {error}");
                tokio::time::sleep(RETRY_DELAY).await;
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

/// Deletes nonces and daily-limit slots two windows after their time: a nonce can be replayed for one window only.
async fn purge_periodically(ledger: Ledger, window: Duration) {
    let keep = i64::try_from(2 * window.as_millis()).unwrap_or(i64::MAX);
    loop {
        // `purge` has logged the error; the next round retries.
        let _ = ledger.purge(ledger.now().saturating_sub(keep)).await;
        tokio::time::sleep(window.min(PURGE_INTERVAL)).await;
    }
}
