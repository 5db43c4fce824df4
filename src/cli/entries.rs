//! The command `entries`: what an origin caused, such as a leaked key.

use clap::Args;
use jiff::civil::Date;
use serde_json::json;

use super::commands::check_existence;
use super::output::{self, Escaped};
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::ledger::read::caused::{CausedEntry, CausedRange};
use crate::points::calendar::Calendar;
use crate::server;

/// The origin, the period and the form of the list.
#[derive(Args)]
pub struct EntriesArgs {
    /// Who asked for them: DIALECT, DIALECT/CALLER or DIALECT/CALLER/KEY, as in openapi/partner-1/current
    #[arg(long, value_name = "ORIGIN")]
    origin: String,
    /// The first day, YYYY-MM-DD [default: the beginning]
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The last day, YYYY-MM-DD [default: no end]
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Print one JSON object a line
    #[arg(long, conflicts_with = "ids")]
    json: bool,
    /// Print the names of the entries alone, as `reverse` takes them
    #[arg(long)]
    ids: bool,
}

/// Lists the entries that an origin caused, by account.
///
/// # Errors
/// Returns a message for the user if the ledger cannot be read.
pub async fn entries(config: &Config, args: &EntriesArgs) -> Result<(), String> {
    check_existence(config)?;
    let calendar = Calendar::new(config.timezone.clone());
    let start = |day: Date| calendar.start_of(day).ok_or("the day is out of range");
    let from = args.from.map(start).transpose()?;
    let next = args.to.map(|day| day.tomorrow()).transpose();
    let until = next
        .map_err(|error| error.to_string())?
        .map(start)
        .transpose()?;
    let range = CausedRange {
        origin: args.origin.clone(),
        from: from.unwrap_or(i64::MIN),
        until: until.unwrap_or(i64::MAX),
    };
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let listed = list(&ledger, &range, args, &calendar).await;
    ledger.close().await;
    let (count, points) = listed?;
    match args.json || args.ids {
        true => Ok(()),
        false => output::line(format_args!("{count} entries, {points:+} points")),
    }
}

async fn list(
    ledger: &Ledger,
    range: &CausedRange,
    args: &EntriesArgs,
    calendar: &Calendar,
) -> Result<(u64, i128), String> {
    let (mut count, mut points) = (0, 0);
    let mut last = (i64::MIN, 0);
    loop {
        let entries = ledger.caused_after(range, last).await;
        let entries = entries.map_err(|error| error.to_string())?;
        let Some(end) = entries.last() else {
            return Ok((count, points));
        };
        last = (end.account_id, end.seq);
        for entry in &entries {
            count += 1;
            points += i128::from(entry.amount);
            output::line(Escaped(shown(entry, args, calendar)))?;
        }
    }
}

fn shown(entry: &CausedEntry, args: &EntriesArgs, calendar: &Calendar) -> String {
    let (asset, owner) = (&entry.account.asset, &entry.account.owner);
    let name = format!("{asset}/{owner}/{}", entry.seq);
    if args.ids {
        return name;
    }
    let at = calendar.format(entry.at);
    let (reference, request_id) = (&entry.reference, &entry.request_id);
    if args.json {
        return json!({
            "amount": entry.amount,
            "at": entry.at,
            "contra": entry.contra,
            "entry": name,
            "reference": reference,
            "request_id": request_id,
        })
        .to_string();
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let (reference, request_id) = (text(reference), text(request_id));
    let (amount, contra) = (entry.amount, &entry.contra);
    format!("{name}  {at}  {amount:+}  {contra}  {reference}  {request_id}")
}
