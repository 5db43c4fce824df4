//! The commands `adjust`, `reverse`, `reinstate` and `transfer`: an operator puts right what went wrong. The journal records each.

use clap::Args;
use jiff::civil::Date;

use super::commands::check_existence;
use super::freeze::{check_owner, reason};
use super::output::{self, Escaped};
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::context::Context;
use crate::gateway::value::is_storable;
use crate::ledger::book::debt::{debt_of, is_debt};
use crate::ledger::book::entry::Entry;
use crate::ledger::book::transaction::{AccountKey, MOST, NEVER, Rejection};
use crate::ledger::{ApplyError, Ledger};
use crate::points::calendar::Calendar;
use crate::points::coins::COIN;
use crate::points::corrections::Wanted;
use crate::server;
use crate::services::Services;

/// The most characters of an id.
const MAX_ID: usize = 64;

/// What every correction takes.
#[derive(Args)]
pub struct Common {
    /// Why; the journal keeps it, so it names nobody
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Names the correction, which then counts once however often it is sent; the member sees it as the row's reference
    /// [default: the request id]
    #[arg(long, value_name = "ID", value_parser = id)]
    id: Option<String>,
    /// Correct; without it, print what would be entered
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Print what would be entered, and change nothing (the default)
    #[arg(long)]
    dry_run: bool,
}

/// Points to give or to take.
#[derive(Args)]
pub struct AdjustArgs {
    /// The member, as accounts name their owner: uid:5 or key:abc
    owner: String,
    /// The asset, such as coin
    #[arg(long, value_name = "A")]
    asset: String,
    /// Points to add, or to take if negative: down to zero
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-MOST..=MOST))]
    points: i64,
    /// The last day on which points that are added count, YYYY-MM-DD or never [default: by the rule of the asset]
    #[arg(long, value_name = "DATE", value_parser = expiry)]
    expires: Option<LastDay>,
    /// Take what the account does not hold from its later income
    #[arg(long)]
    claw_back: bool,
    #[command(flatten)]
    common: Common,
}

/// An entry to take back.
#[derive(Args)]
pub struct ReverseArgs {
    /// The entry: ASSET/OWNER/NUMBER, as in coin/uid:5/7
    #[arg(value_parser = entry_name)]
    entry: EntryName,
    /// Take what is spent of its points from the member's other points, and the rest from later income
    #[arg(long)]
    claw_back: bool,
    #[command(flatten)]
    common: Common,
}

/// An entry that wrongly expired points.
#[derive(Args)]
pub struct ReinstateArgs {
    /// The entry: ASSET/OWNER/NUMBER, as in coin/uid:5/7
    #[arg(value_parser = entry_name)]
    entry: EntryName,
    /// The last day on which the points count from now on, YYYY-MM-DD or never [default: as before]
    #[arg(long, value_name = "DATE", value_parser = expiry)]
    expires: Option<LastDay>,
    #[command(flatten)]
    common: Common,
}

/// Points to move.
#[derive(Args)]
pub struct TransferArgs {
    /// The member who loses them, as accounts name their owner: uid:5 or key:abc
    from: String,
    /// The member who gets them
    to: String,
    /// The asset, such as coin
    #[arg(long, value_name = "A")]
    asset: String,
    /// Points to move
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=MOST))]
    points: i64,
    #[command(flatten)]
    common: Common,
}

/// The arguments of one command.
pub enum CorrectionArgs {
    Adjust(AdjustArgs),
    Reverse(ReverseArgs),
    Reinstate(ReinstateArgs),
    Transfer(TransferArgs),
}

/// The last day on which points count; `None` = they never expire.
#[derive(Clone, Copy, Debug)]
pub struct LastDay(Option<Date>);

/// An entry by its account and its number.
#[derive(Clone, Debug)]
pub struct EntryName {
    /// The account under the name of its owner.
    pub account: AccountKey,
    /// The entry's number in the account.
    pub seq: i64,
}

fn id(text: &str) -> Result<String, String> {
    let fits = !text.trim().is_empty() && text.chars().nth(MAX_ID).is_none();
    match fits && is_storable(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "an id has 1 to {MAX_ID} characters, none of them a control character"
        )),
    }
}

fn expiry(text: &str) -> Result<LastDay, String> {
    match text {
        "never" => Ok(LastDay(None)),
        day => day
            .parse()
            .map(|day| LastDay(Some(day)))
            .map_err(|_| "neither a day, YYYY-MM-DD, nor never".to_owned()),
    }
}

/// Reads the name of an entry.
///
/// # Errors
/// Returns a message for the user if it is none.
pub fn entry_name(text: &str) -> Result<EntryName, String> {
    let parts = text.split_once('/').and_then(|(asset, rest)| {
        let (owner, seq) = rest.rsplit_once('/')?;
        let seq = seq.parse().ok().filter(|seq| *seq > 0)?;
        Some((asset.to_owned(), owner.to_owned(), seq))
    });
    let (asset, owner, seq) = parts.ok_or("an entry is ASSET/OWNER/NUMBER, as in coin/uid:5/7")?;
    check_owner(&owner)?;
    let account = AccountKey { owner, asset };
    Ok(EntryName { account, seq })
}

impl CorrectionArgs {
    fn common(&self) -> &Common {
        match self {
            CorrectionArgs::Adjust(args) => &args.common,
            CorrectionArgs::Reverse(args) => &args.common,
            CorrectionArgs::Reinstate(args) => &args.common,
            CorrectionArgs::Transfer(args) => &args.common,
        }
    }

    /// The command's name.
    pub fn name(&self) -> &'static str {
        match self {
            CorrectionArgs::Adjust(_) => "adjust",
            CorrectionArgs::Reverse(_) => "reverse",
            CorrectionArgs::Reinstate(_) => "reinstate",
            CorrectionArgs::Transfer(_) => "transfer",
        }
    }
}

/// Corrects, or prints what would be entered.
///
/// # Errors
/// Returns a message for the user if nothing was corrected.
pub async fn correct(
    config: &Config,
    args: CorrectionArgs,
    context: &Context<()>,
) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger(config, Clock::system()).await?;
    let done = correct_in(&ledger, config, &args, context).await;
    ledger.close().await;
    for line in done? {
        output::line(Escaped(line))?;
    }
    Ok(())
}

async fn correct_in(
    ledger: &Ledger,
    config: &Config,
    args: &CorrectionArgs,
    context: &Context<()>,
) -> Result<Vec<String>, String> {
    let common = args.common();
    let wanted = wanted(ledger, config, args, context).await?;
    let id = common
        .id
        .clone()
        .unwrap_or_else(|| context.request_id.to_string());
    let transaction = wanted.transaction(&id, &common.reason, config.corrections, context);
    let why = |error: ApplyError| {
        let hint = match (&error, args) {
            (ApplyError::Rejected(Rejection::Insufficient), CorrectionArgs::Reverse(_)) => {
                ": some of its points are spent; --claw-back takes them from others and from later income"
            }
            _ => "",
        };
        format!("cannot {}: {error}{hint}", args.name())
    };
    if !common.yes {
        let preview = ledger.preview(&transaction).await.map_err(why)?;
        let calendar = Calendar::new(config.timezone.clone());
        let entries = preview.entries.iter();
        let mut lines: Vec<String> = entries.map(|entry| shown(entry, &calendar)).collect();
        lines.push(
            match preview.applied.receipts.iter().any(|it| it.repeated) {
                true => "was done before: would change nothing".to_owned(),
                false if lines.is_empty() => "would change nothing".to_owned(),
                false => "nothing has changed: --yes does it".to_owned(),
            },
        );
        return Ok(lines);
    }
    let postings = transaction.postings.iter();
    let accounts: Vec<AccountKey> = postings.map(|it| it.account.clone()).collect();
    let applied = ledger.apply(transaction).await.map_err(why)?;
    let outcome = match &applied.receipts[..] {
        receipts if receipts.iter().any(|it| it.repeated) => "was done before".to_owned(),
        receipts if receipts.iter().any(|it| it.moved) => format!("done, id {id}"),
        _ => "nothing has changed".to_owned(),
    };
    let mut lines = vec![outcome];
    for account in accounts {
        lines.push(standing(ledger, &account).await?);
    }
    Ok(lines)
}

/// What the arguments mean: with the names that accounts stand under, and times.
async fn wanted(
    ledger: &Ledger,
    config: &Config,
    args: &CorrectionArgs,
    context: &Context<()>,
) -> Result<Wanted, String> {
    let calendar = Calendar::new(config.timezone.clone());
    Ok(match args {
        CorrectionArgs::Adjust(args) => {
            let account = account(ledger, config, &args.owner, &args.asset).await?;
            let services = Services::new(ledger.clone(), config, Clock::system());
            let by_rule = || Ok(services.coins.expiry_of(&args.asset, context.now));
            let expires_at = args
                .expires
                .map_or_else(by_rule, |day| end(day, &calendar))?;
            if args.points == 0 {
                return Err("there is nothing to adjust by 0 points".to_owned());
            }
            Wanted::Adjust {
                account,
                points: args.points,
                expires_at,
                claw_back: args.claw_back,
            }
        }
        CorrectionArgs::Reverse(args) => {
            let EntryName { account: of, seq } = &args.entry;
            Wanted::Reverse {
                account: account_of_entry(ledger, config, of).await?,
                seq: *seq,
                claw_back: args.claw_back,
            }
        }
        CorrectionArgs::Reinstate(args) => {
            let EntryName { account: of, seq } = &args.entry;
            let expires_at = args.expires.map(|day| end(day, &calendar)).transpose()?;
            Wanted::Reinstate {
                account: account_of_entry(ledger, config, of).await?,
                seq: *seq,
                expires_at,
            }
        }
        CorrectionArgs::Transfer(args) => {
            let account_from = account(ledger, config, &args.from, &args.asset).await?;
            let to = account(ledger, config, &args.to, &args.asset).await?.owner;
            if to == account_from.owner {
                return Err(format!("{} and {} are one person", args.from, args.to));
            }
            Wanted::Transfer {
                account: account_from,
                to,
                points: args.points,
            }
        }
    })
}

/// The account of an owner, under the name that it stands under. The asset is one that is configured, or that points have been moved of: a name
/// that is written wrong would make another one.
async fn account(
    ledger: &Ledger,
    config: &Config,
    owner: &str,
    asset: &str,
) -> Result<AccountKey, String> {
    check_owner(owner)?;
    let moved = ledger.assets().await.map_err(|error| error.to_string())?;
    let mut known = moved.iter().chain(&config.osx.scores).map(String::as_str);
    if is_debt(asset) || !(asset == COIN || known.any(|known| known == asset)) {
        return Err(format!("there are no points of {asset}"));
    }
    let named = AccountKey {
        owner: owner.to_owned(),
        asset: asset.to_owned(),
    };
    let found = ledger.account_of(&named).await;
    found.map_err(|error| error.to_string())
}

/// The account of an entry. One that a link left behind empty has entries too, whose numbers are not those of the account that the name
/// leads to now.
async fn account_of_entry(
    ledger: &Ledger,
    config: &Config,
    named: &AccountKey,
) -> Result<AccountKey, String> {
    let found = account(ledger, config, &named.owner, &named.asset).await?;
    let is_other = found.owner != named.owner;
    let left_behind = ledger.stands(named).await;
    match is_other && left_behind.map_err(|error| error.to_string())? {
        true => Err(format!(
            "a link left {} of {} behind, empty: its entries are beyond correction",
            named.asset, named.owner
        )),
        false => Ok(found),
    }
}

/// The time from which on points do not count (ms) whose last day this is.
fn end(day: LastDay, calendar: &Calendar) -> Result<i64, String> {
    let Some(day) = day.0 else { return Ok(NEVER) };
    let next = day.tomorrow().map_err(|error| error.to_string())?;
    let end = calendar.start_of(next);
    end.ok_or_else(|| "this day has no next one".to_owned())
}

/// `coin of uid:5: -50 (adjusted), of 2027-12-31 -50; balance 40`.
fn shown(entry: &Entry, calendar: &Calendar) -> String {
    let AccountKey { owner, asset } = &entry.account;
    let lots = entry.lots.iter().map(|lot| {
        let day = match lot.expires_at {
            NEVER => "never".to_owned(),
            at => calendar.day(at.saturating_sub(1)).to_string(),
        };
        format!("{day} {:+}", lot.points)
    });
    let lots: Vec<String> = lots.collect();
    format!(
        "{asset} of {owner}: {:+} {}, by last day {}; balance {}",
        entry.amount,
        entry.contra.name(),
        lots.join(", "),
        entry.balance_after
    )
}

/// `coin of uid:5: balance 40, owes 10`.
async fn standing(ledger: &Ledger, account: &AccountKey) -> Result<String, String> {
    let balance = ledger.balance(account.clone()).await;
    let balance = balance.map_err(|error| error.to_string())?;
    let owed = match debt_of(account) {
        Some(debt) => ledger.balance(debt).await,
        None => Ok(None),
    };
    let owed = owed.map_err(|error| error.to_string())?;
    let owes = match owed.unwrap_or_default() {
        0 => String::new(),
        owed => format!(", owes {owed}"),
    };
    let AccountKey { owner, asset } = account;
    let balance = balance.unwrap_or_default();
    Ok(format!("{asset} of {owner}: balance {balance}{owes}"))
}
