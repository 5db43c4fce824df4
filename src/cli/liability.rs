//! The command `liability`: what the company owes its members, and what moved in a period.

use std::collections::BTreeMap;

use clap::Args;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::commands::check_existence;
use super::output::{self, Escaped};
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::book::entry::Contra;
use crate::ledger::read::liability::{Flow, LiabilityReport};
use crate::points::calendar::Calendar;
use crate::server;

/// Which period, and whose movements.
#[derive(Args)]
pub struct LiabilityArgs {
    /// The first day of the movements, YYYY-MM-DD [default: the beginning]
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The last day of the movements, YYYY-MM-DD [default: no end]
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Only movements that this origin asked for: DIALECT, DIALECT/CALLER or DIALECT/CALLER/KEY, as in openapi/partner-1
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints points by asset and month of expiry, and the movements of the period by reason and origin.
pub async fn liability(config: &Config, arguments: &LiabilityArgs) -> Result<(), String> {
    check_existence(config)?;
    let calendar = Calendar::new(config.timezone.clone());
    let start = |day: Date| calendar.start_of(day).ok_or("the day is out of range");
    let from = arguments.from.map(start).transpose()?.unwrap_or(i64::MIN);
    let next = arguments.to.map(|day| day.tomorrow()).transpose();
    let next = next.map_err(|error| error.to_string())?;
    let until = next.map(start).transpose()?.unwrap_or(i64::MAX);
    if from >= until {
        return Err("the period ends before it begins".to_owned());
    }
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let month = |at| calendar.last_month(at);
    let report = ledger.liability((from, until), month).await;
    ledger.close().await;
    let mut report = report.map_err(|error| format!("cannot read the ledger: {error}"))?;
    if let Some(origin) = &arguments.origin {
        report.flows.retain(|flow| flow.is_by(origin));
        // What members hold has many origins.
        report.held.clear();
    }
    match arguments.json {
        true => output::line(as_json(&report)),
        false => as_text(&report)
            .iter()
            .try_for_each(|line| output::line(Escaped(line))),
    }
}

/// How points moved, in a word.
fn movement(flow: &Flow) -> &'static str {
    match (flow.contra, flow.income) {
        (Contra::Issued, _) => "issued",
        (Contra::Redeemed, false) => "redeemed",
        (Contra::Redeemed, true) => "returned",
        (Contra::Expired, _) => "expired",
        (Contra::Adjusted, _) => "adjusted",
        (Contra::Transferred, _) => "transferred",
    }
}

/// The origin of movements, in a word.
fn origin(flow: &Flow) -> &str {
    flow.origin.as_deref().unwrap_or("not recorded")
}

fn as_text(report: &LiabilityReport) -> Vec<String> {
    let mut lines = Vec::new();
    for (asset, months) in &report.held {
        lines.push(format!("{asset}: {} points", months.values().sum::<i128>()));
        let months = months.iter();
        lines.extend(months.map(|(month, points)| format!("  {month}  {points}")));
    }
    let mut totals: BTreeMap<(&str, &str), (i128, i64)> = BTreeMap::new();
    for flow in &report.flows {
        let total = totals.entry((&flow.asset, movement(flow))).or_default();
        total.0 += flow.points;
        total.1 += flow.entries;
    }
    for ((asset, name), (points, entries)) in totals {
        lines.push(format!("{asset} {name}: {points:+} in {entries} entries"));
        let flows = report.flows.iter();
        let of_total = flows.filter(|flow| flow.asset == asset && movement(flow) == name);
        lines.extend(of_total.map(|flow| {
            let (reason, entries) = (flow.reason, flow.entries);
            let (points, origin) = (flow.points, origin(flow));
            format!("  reason {reason}  {origin}  {points:+} in {entries} entries")
        }));
    }
    lines
}

/// Sums are decimal texts, since they may exceed what readers of JSON take for a number.
fn as_json(report: &LiabilityReport) -> Value {
    let held = report.held.iter().map(|(asset, months)| {
        let months = months
            .iter()
            .map(|(month, points)| (month.clone(), json!(points.to_string())));
        (asset.clone(), Value::Object(months.collect()))
    });
    let flows = report.flows.iter().map(|flow| {
        json!({
            "asset": flow.asset,
            "entries": flow.entries,
            "movement": movement(flow),
            "origin": flow.origin,
            "points": flow.points.to_string(),
            "reason": flow.reason,
        })
    });
    json!({
        "held": held.collect::<Map<String, Value>>(),
        "moved": flows.collect::<Vec<Value>>(),
    })
}
