//! The commands `migrate`, `check-config`, `expire`, `payments` and `keys`.

use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;

use super::output::{self, Escaped};
use super::signing;
use crate::clock::Clock;
use crate::config::Config;
use crate::endpoints::{self, Endpoints};
use crate::ledger::Ledger;
use crate::ledger::upkeep::audit::Report;
use crate::members::Members;
use crate::points::calendar::Calendar;
use crate::points::key_record::{self, KeyRecord};
use crate::server;
use crate::services::Services;

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
    lines.push(match signing::signing_key(config)? {
        Some(key) => format!("seals with the key {}", key.verifier()),
        None => "seals nothing: seal.key_file is not set".to_owned(),
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

/// Expires the points that are due now, or by the end of the day `at`; for a day after today only if `confirmed`, because what has
/// expired stays expired.
pub async fn expire(config: &Config, at: Option<Date>, confirmed: bool) -> Result<(), String> {
    let now = Clock::system().now();
    let today = Calendar::new(config.timezone.clone()).day(now);
    if !confirmed && at.is_some_and(|day| day > today) {
        would_expire(config, at).await?;
        return Err(
            "nothing has expired: that day is after today; add --yes if you mean it".to_owned(),
        );
    }
    check_existence(config)?;
    let due_by = due_by(config, at, now)?;
    let ledger = open_to_write(config).await?;
    // The very time that decided what is due.
    let expired = match ledger.clock_guard().check(now) {
        Ok(()) => ledger.expire(due_by).await,
        Err(gap) => Err(gap.into()),
    };
    ledger.close().await;
    let accounts = expired.map_err(|error| error.to_string())?;
    output::line(format_args!("expired points in {accounts} accounts"))
}

/// Prints what [`expire`] would expire.
pub async fn would_expire(config: &Config, at: Option<Date>) -> Result<(), String> {
    check_existence(config)?;
    let due_by = due_by(config, at, Clock::system().now())?;
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let due = ledger.due(due_by).await;
    ledger.close().await;
    let due = due.map_err(|error| error.to_string())?;
    if due.is_empty() {
        return output::line("would expire nothing");
    }
    due.iter().try_for_each(|(asset, due)| {
        output::line(Escaped(format_args!(
            "would expire {} points of {asset} in {} accounts",
            due.points, due.accounts
        )))
    })
}

/// The end of the day `at`, or `now` (ms since 1970 UTC).
fn due_by(config: &Config, at: Option<Date>, now: i64) -> Result<i64, String> {
    let Some(day) = at else {
        return Ok(now);
    };
    let next = day.tomorrow().map_err(|error| error.to_string())?;
    let start = Calendar::new(config.timezone.clone()).start_of(next);
    start.ok_or_else(|| "this day has no next one".to_owned())
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

/// Lists the keys of all callers and when each was last used, as far as the ledger knows: a server notes it every minute.
pub async fn keys(config: &Config) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let read = read_keys(config, &ledger).await;
    ledger.close().await;
    let calendar = Calendar::new(config.timezone.clone());
    for record in read? {
        let (id, name) = (&record.key.id, record.key.name);
        let used = match record.used_at {
            Some(at) => format!("last used {}", calendar.format(at)),
            None => "never used".to_owned(),
        };
        output::line(Escaped(format_args!(
            "{}  {}  {name}  {used}",
            id.dialect, id.caller
        )))?;
    }
    Ok(())
}

async fn read_keys(config: &Config, ledger: &Ledger) -> Result<Vec<KeyRecord>, String> {
    let services = Services::new(ledger.clone(), config, Clock::system());
    for endpoint in endpoints::all(config)? {
        endpoint.start(&services);
    }
    let read = key_record::read(ledger, &services.keys).await;
    read.map_err(|error| error.to_string())
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

/// Opens the ledger for a command that changes what depends on the time.
///
/// # Errors
/// Returns a message for the user if it cannot be opened, or if the clock is not trusted.
pub async fn open_to_write(config: &Config) -> Result<Ledger, String> {
    let ledger = server::open_ledger(config, Clock::system()).await?;
    match ledger.clock_gap() {
        None => Ok(ledger),
        Some(gap) => {
            ledger.close().await;
            Err(format!(
                "{gap}; correct the clock, or confirm it: pointgate clock --confirm"
            ))
        }
    }
}

/// Refuses a ledger that is not there, which opening it would create.
pub fn check_existence(config: &Config) -> Result<(), String> {
    match Ledger::exists(config.database.url.reveal()) {
        true => Ok(()),
        false => Err(format!("there is no ledger at {}", config.database.shown())),
    }
}
