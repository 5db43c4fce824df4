//! The command `serve`: runs the server and its background tasks, and takes over a changed configuration on SIGHUP.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use super::log_lines::LogGuard;
use super::pid_file::PidFile;
use super::seal;
use super::signing;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::keys::{CURRENT, KeyRegister};
use crate::ledger::{ApplyError, Ledger};
use crate::points::calendar::Calendar;
use crate::points::key_record;
use crate::server::{self, RunningServer};

/// The delay before a background task that failed or panicked runs again.
const RETRY_DELAY: Duration = Duration::from_secs(60);
/// The longest pause between two purges.
const PURGE_INTERVAL: Duration = Duration::from_secs(10);
/// The pause between two comparisons of the clock.
const CLOCK_INTERVAL: Duration = Duration::from_secs(60);
/// The same while the clock is not trusted: somebody may have confirmed it.
const UNTRUSTED_CLOCK_INTERVAL: Duration = Duration::from_secs(2);
/// The pause between two notes of when keys were last used.
const KEY_INTERVAL: Duration = Duration::from_secs(60);
/// The time limit for the last such note, at a stop.
const LAST_NOTE_TIMEOUT: Duration = Duration::from_secs(1);
/// The time limit for reading a changed configuration, whose secrets may stand in files that block.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT. `file` is the configuration file of the command line.
pub async fn serve(config: &Config, file: Option<PathBuf>, log: &LogGuard) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    announce(config);
    signing::signing_key(config)?;
    let mut running = server::start(config, Clock::system()).await?;
    let help = "Log lines that standard error did not take in time";
    running
        .metrics()
        .register("pointgate_log_lines_dropped", help, log.dropped());
    let pid_file = config.server.pid_file.as_deref();
    let mut pid_file = pid_file.and_then(PidFile::hold);
    log::info!("listening on {}", running.address);
    let tasks = start_tasks(&running, Calendar::new(config.timezone.clone()));
    let stop = loop {
        tokio::select! {
            stop = stop_signal(&mut terminate, &mut interrupt) => break stop,
            _ = hangup.recv() => {}
        }
        let read = tokio::select! {
            stop = stop_signal(&mut terminate, &mut interrupt) => break stop,
            read = read(file.clone()) => read,
        };
        let outcome = reload(&mut running, read);
        // A new key is known from now on.
        let (ledger, keys) = (running.ledger.clone(), running.keys());
        tokio::spawn(async move { key_record::exchange(&ledger, &keys).await });
        if let Some(pid_file) = &mut pid_file {
            pid_file.reloaded(outcome.as_deref().map_err(String::as_str));
        }
    };
    log::info!("{stop}: stopping");
    for task in tasks {
        task.abort();
    }
    // A database that does not answer must not hold up the stop.
    let (ledger, keys) = (running.ledger.clone(), running.keys());
    let last_note = key_record::exchange(&ledger, &keys);
    let _ = tokio::time::timeout(LAST_NOTE_TIMEOUT, last_note).await;
    drop(pid_file);
    running.stop().await;
    log::info!("stopped");
    Ok(())
}

/// Says in the log what an operator must know of a configuration.
fn announce(config: &Config) {
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
    if let Some((_, from)) = &config.yoho.salt.next {
        let calendar = Calendar::new(config.timezone.clone());
        log::info!(
            "yoho.next_salt holds from {}; after that, write it as yoho.salt and remove next_salt and next_salt_from",
            calendar.format(*from)
        );
    }
    if config.yoho.debug.is_some() {
        log::warn!(
            "DEBUG IS ON: requests with debug=<yoho.debug> from yoho.debug_from need no signature and may call {}; they can give any \
             number of points, and pointgate_debug_requests_total counts them",
            config.yoho.debug_methods.join(", ")
        );
    }
}

/// Waits for a signal to stop, and returns its name.
async fn stop_signal(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Reads the configuration as its file and the environment are now.
async fn read(file: Option<PathBuf>) -> Result<Config, String> {
    let reading = tokio::task::spawn_blocking(move || Config::load(file.as_deref()));
    match tokio::time::timeout(READ_TIMEOUT, reading).await {
        Ok(Ok(read)) => read.map_err(|errors| errors.to_string()),
        Ok(Err(error)) => Err(format!("reading it failed: {error}")),
        Err(_) => Err(format!("reading it took longer than {READ_TIMEOUT:?}")),
    }
}

/// Takes over a configuration that was read. Returns the settings that need a restart.
fn reload(
    running: &mut RunningServer,
    read: Result<Config, String>,
) -> Result<Vec<&'static str>, String> {
    let reloaded = read.and_then(|config| {
        let pending = running.reload(&config)?;
        log::info!("SIGHUP: reloaded");
        announce(&config);
        Ok(pending)
    });
    match &reloaded {
        Ok(pending) if !pending.is_empty() => log::warn!(
            "these settings differ and need a restart: {}",
            pending.join(", ")
        ),
        Ok(_) => {}
        Err(why) => log::error!(
            "SIGHUP: the configuration is unchanged: {}",
            why.replace('\n', "; ")
        ),
    }
    reloaded
}

fn start_tasks(running: &RunningServer, calendar: Calendar) -> [JoinHandle<()>; 5] {
    let ledger = running.ledger.clone();
    let clock = move || compare_clock(ledger.clone());
    let (ledger, local) = (running.ledger.clone(), calendar.clone());
    let expiry = move || expire_daily(ledger.clone(), local.clone());
    let (ledger, config) = (running.ledger.clone(), running.config());
    let purge = move || purge_periodically(ledger.clone(), config.clone());
    let (ledger, keys) = (running.ledger.clone(), running.keys());
    let note = move || note_keys(ledger.clone(), keys.clone(), calendar.clone());
    let (ledger, config) = (running.ledger.clone(), running.config());
    let sealing = move || seal::seal_daily(ledger.clone(), config.clone());
    [
        tokio::spawn(keep_running("the comparison of the clock", clock)),
        tokio::spawn(keep_running("the daily expiry", expiry)),
        tokio::spawn(keep_running("the purge", purge)),
        tokio::spawn(keep_running("the record of keys", note)),
        tokio::spawn(keep_running("the daily seal", sealing)),
    ]
}

/// Runs an endless task, and restarts it after a delay if it panics.
async fn keep_running<F: Future<Output = ()>>(name: &str, task: impl Fn() -> F) {
    while AssertUnwindSafe(task()).catch_unwind().await.is_err() {
        log::error!("{name} panicked, restarting in {RETRY_DELAY:?}");
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

/// Compares the clock with what the database tells, and notes its time there.
async fn compare_clock(ledger: Ledger) {
    loop {
        let pause = match ledger.clock_gap() {
            Some(_) => UNTRUSTED_CLOCK_INTERVAL,
            None => CLOCK_INTERVAL,
        };
        tokio::time::sleep(pause).await;
        // The error is in the log; the next round retries.
        let _ = ledger.compare_clock().await;
    }
}

/// Expires the points that are due: now, and then one second after each local midnight.
async fn expire_daily(ledger: Ledger, calendar: Calendar) {
    loop {
        let expired = match ledger.trusted_now() {
            Ok(now) => ledger.expire(now).await,
            Err(gap) => Err(gap.into()),
        };
        match expired {
            Ok(0) => {}
            Ok(accounts) => log::info!("expired points in {accounts} accounts"),
            Err(error) => {
                log::error!("cannot expire points, retrying in {RETRY_DELAY:?}: {error}");
                tokio::time::sleep(RETRY_DELAY).await;
                continue;
            }
        }
        let now = ledger.now();
        let (_, midnight) = calendar.day_bounds(now);
        let wait = u64::try_from(midnight.saturating_sub(now)).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait.saturating_add(1000))).await;
    }
}

/// Deletes and erases what `[retention]` keeps no longer, in small steps.
async fn purge_periodically(ledger: Ledger, config: Arc<ArcSwap<Config>>) {
    loop {
        // The steps have logged their errors; the next round retries.
        let _ = purge(&ledger, &config.load_full()).await;
        let window = config.load().openapi.window;
        tokio::time::sleep(window.min(PURGE_INTERVAL)).await;
    }
}

/// Nonces, daily-limit slots and allowances go two windows after their time at the earliest: a nonce can be replayed for one window
/// only.
async fn purge(ledger: &Ledger, config: &Config) -> Result<(), ApplyError> {
    let now = ledger.trusted_now()?;
    let before = |age: Duration| {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        now.saturating_sub(age)
    };
    let (replay, retention) = (2 * config.openapi.window, &config.retention);
    ledger.purge_limits(before(replay)).await?;
    ledger
        .purge_nonces(before(replay + retention.nonces))
        .await?;
    ledger.purge_messages(before(retention.messages)).await?;
    if let Some(age) = retention.action_details {
        ledger.erase_details(before(age)).await?;
    }
    Ok(())
}

/// Notes when callers' keys were last used, and says in the log once a day which old key nobody uses any more.
async fn note_keys(ledger: Ledger, keys: KeyRegister, calendar: Calendar) {
    let mut logged_on = None;
    loop {
        let now = ledger.now();
        // `exchange` has logged the error; the next round retries.
        if let Ok(records) = key_record::exchange(&ledger, &keys).await
            && logged_on != Some(calendar.day(now))
        {
            logged_on = Some(calendar.day(now));
            for record in records.iter().filter(|it| it.key.name != CURRENT) {
                log::info!("{}", record.advice(now, &calendar));
            }
        }
        tokio::time::sleep(KEY_INTERVAL).await;
    }
}
