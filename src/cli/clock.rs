//! The command `clock`: shows whether the clock is trusted, and confirms it.

use super::commands::check_existence;
use super::output;
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::book::journal::Operator;
use crate::points::calendar::Calendar;
use crate::server;

/// Prints the clock, what it is compared with, and whether it is trusted. Changes nothing.
///
/// # Errors
/// Returns a message for the user if the clock is not trusted, or if the ledger cannot be read.
pub async fn show(config: &Config) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let inspected = ledger.inspect_clock(config.ledger.max_clock_gap).await;
    ledger.close().await;
    let (now, seen) = inspected.map_err(|error| error.to_string())?;
    let calendar = Calendar::new(config.timezone.clone());
    output::line(format_args!(
        "the clock             {}",
        calendar.format(now)
    ))?;
    if let Some(seen_at) = seen.seen_at {
        let seen_at = calendar.format(seen_at);
        output::line(format_args!("the ledger saw last   {seen_at}"))?;
    }
    if let Some(database) = seen.database {
        let database = calendar.format(database);
        output::line(format_args!("the database server   {database}"))?;
    }
    match ledger.clock_gap() {
        None => output::line("the clock is trusted"),
        Some(gap) => Err(format!("the clock is not trusted: {gap}")),
    }
}

/// Takes the clock as right and says so in the journal.
///
/// # Errors
/// Returns a message for the user if the database fails.
pub async fn confirm(config: &Config, operator: Operator) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger(config, Clock::system()).await?;
    let confirmed = ledger.confirm_clock(operator).await;
    let now = ledger.now();
    ledger.close().await;
    confirmed.map_err(|error| format!("cannot confirm: {error}"))?;
    let now = Calendar::new(config.timezone.clone()).format(now);
    output::line(format_args!("confirmed the clock: it is {now}"))
}
