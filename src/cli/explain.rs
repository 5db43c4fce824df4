//! The commands `entry`, `account` and `request`: what happened, who asked for it, and how to find the rest of it.

use clap::Args;
use serde_json::{Value, json};

use super::commands::check_existence;
use super::corrections::{EntryName, entry_name};
use super::output::{self, Escaped};
use super::statement::format::Words;
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::ledger::book::account::Lot;
use crate::ledger::book::lots::{LotChange, write_lots};
use crate::ledger::proof::entry::entry_json;
use crate::ledger::read::lookup::KnownAccount;
use crate::ledger::read::walk::{KnownEntry, WalkError};
use crate::members::MemberName;
use crate::points::calendar::Calendar;
use crate::server;

/// The longest request id (characters).
const MOST_CHARACTERS: usize = 64;

/// Which entry to explain.
#[derive(Args)]
pub struct EntryArgs {
    /// The entry: ASSET/OWNER/NUMBER, as in coin/uid:5/7
    #[arg(value_name = "ENTRY", value_parser = entry_name)]
    entry: EntryName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Whose accounts to explain.
#[derive(Args)]
pub struct AccountArgs {
    /// The member, as accounts name their owner: uid:5 or key:abc
    owner: String,
    /// The most entries of each account, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=1000))]
    last: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which request to explain.
#[derive(Args)]
pub struct RequestArgs {
    /// The id, which the answer's X-Request-Id and the log have too
    #[arg(value_name = "ID", value_parser = request_id)]
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn request_id(text: &str) -> Result<String, String> {
    match (1..=MOST_CHARACTERS).contains(&text.chars().count()) {
        true => Ok(text.to_owned()),
        false => Err(format!("an id has 1 to {MOST_CHARACTERS} characters")),
    }
}

/// Prints an entry with all that its hash covers.
pub async fn entry(config: &Config, arguments: &EntryArgs) -> Result<(), String> {
    let EntryName { account, seq } = &arguments.entry;
    with_ledger(config, async |ledger, words| {
        let known = ledger.entry(account, *seq).await.map_err(message)?;
        let Some(known) = known else {
            let (asset, owner) = (&account.asset, &account.owner);
            return Err(format!("there is no entry {asset}/{owner}/{seq}"));
        };
        match arguments.json {
            true => output::line(whole_json(&known)),
            false => print_whole(&known, words),
        }
    })
    .await
}

/// Prints the accounts of a member, each with its lots and its newest entries.
pub async fn account(config: &Config, arguments: &AccountArgs) -> Result<(), String> {
    let owner = &arguments.owner;
    MemberName::of_owner(owner).ok_or("an owner is uid:N or key:K, as in uid:5")?;
    with_ledger(config, async |ledger, words| {
        let accounts = ledger.accounts_of(owner, arguments.last).await;
        let accounts = accounts.map_err(message)?;
        if accounts.is_empty() {
            return Err(format!("{owner} has no account"));
        }
        if arguments.json {
            let accounts: Vec<Value> = accounts.iter().map(account_json).collect();
            return output::line(json!(accounts));
        }
        for known in &accounts {
            print_account(known, words)?;
        }
        Ok(())
    })
    .await
}

/// Prints the entries that a request caused.
pub async fn request(config: &Config, arguments: &RequestArgs) -> Result<(), String> {
    with_ledger(config, async |ledger, words| {
        let entries = ledger.entries_of_request(&arguments.id).await;
        let entries = entries.map_err(message)?;
        if arguments.json {
            let entries: Vec<Value> = entries.iter().map(whole_json).collect();
            return output::line(json!(entries));
        }
        for known in &entries {
            let name = name_of(known);
            output::line(format_args!("{}  {}", Escaped(name), row(known, words)))?;
        }
        output::line(format_args!("{} entries", entries.len()))
    })
    .await
}

async fn with_ledger(
    config: &Config,
    print: impl AsyncFnOnce(&Ledger, &Words) -> Result<(), String>,
) -> Result<(), String> {
    check_existence(config)?;
    let words = Words::new(config, Calendar::new(config.timezone.clone()));
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let done = print(&ledger, &words).await;
    ledger.close().await;
    done
}

fn message(error: WalkError) -> String {
    error.to_string()
}

/// The name by which the commands take an entry.
fn name_of(known: &KnownEntry) -> String {
    let account = &known.entry.account;
    format!("{}/{}/{}", account.asset, account.owner, known.entry.seq)
}

fn row(known: &KnownEntry, words: &Words) -> Escaped<String> {
    let [_, time, points, balance, movement, text, origin] = words.cells(known);
    let request = known.entry.request_id.as_deref().unwrap_or("no request");
    Escaped(format!(
        "{time}  {points}  {balance}  {movement}  {text}  {origin}  {request}"
    ))
}

fn print_account(known: &KnownAccount, words: &Words) -> Result<(), String> {
    let (asset, owner) = (&known.account.asset, &known.account.owner);
    let (balance, entries) = (known.balance, known.last_seq);
    let head = format!("{asset} of {owner}: {balance} points, {entries} entries");
    output::line(Escaped(head))?;
    for lot in &known.lots {
        let expiry = words.expiry(lot);
        output::line(format_args!("  {} until {expiry}", lot.remaining))?;
    }
    for known in &known.newest {
        let seq = known.entry.seq;
        output::line(format_args!("  {seq}  {}", row(known, words)))?;
    }
    Ok(())
}

fn print_whole(known: &KnownEntry, words: &Words) -> Result<(), String> {
    let entry = &known.entry;
    let [_, time, points, balance, movement, text, origin] = words.cells(known);
    let key = |key: crate::ledger::book::key::Key| hex::encode(key.bytes());
    let idempotency = entry.idempotency;
    let address = known.origin.as_ref().and_then(|it| it.address.clone());
    let lots = entry.lots.iter().map(|change| lot_words(change, words));
    let lines = [
        ("time", Some(time)),
        ("recorded", entry.recorded_at.map(|at| words.time(at))),
        ("points", Some(points)),
        ("balance", Some(balance)),
        ("movement", Some(movement)),
        ("text", Some(text)),
        ("type", Some(entry.reason.0.to_string())),
        ("reference", entry.reference.clone()),
        ("back-office user", entry.operator.map(|id| id.to_string())),
        ("origin", Some(origin)),
        ("address", address),
        ("request", entry.request_id.as_deref().map(str::to_owned)),
        ("lots", Some(lots.collect::<Vec<_>>().join(", "))),
        ("order", entry.order.map(key)),
        ("idempotency key", idempotency.map(|it| key(it.key))),
        ("answer", idempotency.map(|it| it.balance.to_string())),
        ("hash", Some(hex::encode(entry.hash))),
    ];
    output::line(Escaped(name_of(known)))?;
    for (name, value) in lines {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            output::line(format_args!("  {name:<16}  {}", Escaped(value)))?;
        }
    }
    Ok(())
}

fn lot_words(change: &LotChange, words: &Words) -> String {
    let lot = Lot {
        expires_at: change.expires_at,
        remaining: change.points,
    };
    format!("{:+} until {}", change.points, words.expiry(&lot))
}

/// An entry as in a proof, with what only an operator may see.
fn whole_json(known: &KnownEntry) -> Value {
    let mut whole = entry_json(&known.entry, known.origin.as_ref());
    if let Some(address) = known.origin.as_ref().and_then(|it| it.address.as_ref()) {
        whole["origin"]["address"] = json!(address);
    }
    whole
}

fn account_json(known: &KnownAccount) -> Value {
    let entries: Vec<Value> = known.newest.iter().map(whole_json).collect();
    json!({
        "asset": known.account.asset,
        "balance": known.balance,
        "entries": entries,
        "last_seq": known.last_seq,
        "lots": write_lots(&known.lots),
        "owner": known.account.owner,
    })
}
