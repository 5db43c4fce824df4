//! The commands `freeze`, `unfreeze` and `frozen`: what an operator forbids an owner's accounts. The journal records each change.

use clap::{ArgAction, Args};

use super::commands::check_existence;
use super::output::{self, Escaped};
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::value::is_storable;
use crate::ledger::Ledger;
use crate::ledger::book::debt::owed_asset;
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::journal::Operator;
use crate::ledger::upkeep::freeze::Holdings;
use crate::members::MemberName;
use crate::points::calendar::Calendar;
use crate::server;

/// The most characters of a reason.
const MAX_REASON: usize = 500;

/// Whose accounts to freeze, and for what.
#[derive(Args)]
pub struct FreezeArgs {
    /// The member, as accounts name their owner: uid:5 or key:abc
    owner: String,
    /// Forbid spending alone (the default): points still come in
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "all")]
    spending: bool,
    /// Forbid every movement of points but expiry
    #[arg(long)]
    all: bool,
    /// Why; the journal keeps it, so it names nobody
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Freeze; without it, list what would be frozen
    #[arg(long)]
    pub yes: bool,
}

/// Whose freeze to lift.
#[derive(Args)]
pub struct UnfreezeArgs {
    /// The member, as accounts name their owner: uid:5 or key:abc
    owner: String,
    /// Why; the journal keeps it, so it names nobody
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

/// Reads an operator's reason: 1 to [`MAX_REASON`] characters, none of them a control character.
///
/// # Errors
/// Returns a message for the user if it is something else.
pub fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().nth(MAX_REASON).is_none();
    match fits && is_storable(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "a reason has 1 to {MAX_REASON} characters, none of them a control character"
        )),
    }
}

/// Checks the name of an owner.
///
/// # Errors
/// Returns a message for the user if no account can have such an owner.
pub fn check_owner(owner: &str) -> Result<(), String> {
    let name = MemberName::of_owner(owner);
    let fits = owner.chars().count() <= MAX_OWNER && is_storable(owner);
    let known = name.filter(|_| fits).map(|_| ());
    known.ok_or_else(|| "an owner is uid:N or key:K, as in uid:5".to_owned())
}

/// The most characters of an owner's name.
const MAX_OWNER: usize = 260;

/// Freezes the accounts of an owner; without an operator, lists what that would freeze.
///
/// # Errors
/// Returns a message for the user if nothing was frozen.
pub async fn freeze(
    config: &Config,
    args: FreezeArgs,
    operator: Option<Operator>,
) -> Result<(), String> {
    check_owner(&args.owner)?;
    check_existence(config)?;
    let scope = match args.all {
        true => FreezeScope::All,
        false => FreezeScope::Spending,
    };
    let ledger = match operator {
        Some(_) => server::open_ledger(config, Clock::system()).await?,
        None => server::open_ledger_read_only(config, Clock::system()).await?,
    };
    let done = freeze_in(&ledger, &args, scope, operator).await;
    ledger.close().await;
    output::line(Escaped(done?))
}

async fn freeze_in(
    ledger: &Ledger,
    args: &FreezeArgs,
    scope: FreezeScope,
    operator: Option<Operator>,
) -> Result<String, String> {
    let (name, what) = (&args.owner, scope.name());
    let is_new = match &operator {
        Some(operator) => {
            let frozen = ledger.freeze(name, scope, &args.reason, operator).await;
            let frozen = frozen.map_err(|error| format!("cannot freeze {name}: {error}"))?;
            frozen.is_new
        }
        None => true,
    };
    let held = ledger.holdings(name).await;
    let held = held.map_err(|error| error.to_string())?;
    let shown = holdings(&held);
    Ok(match (operator.is_some(), is_new) {
        (true, true) => format!("froze {} ({what}): {shown}", held.owner),
        (true, false) => format!("{} is frozen already ({what}): {shown}", held.owner),
        (false, _) => format!(
            "would freeze {} ({what}): {shown}; --yes freezes it",
            held.owner
        ),
    })
}

/// The balances of an owner: `120 coin, 3 diamond, owes 5 coin`.
fn holdings(held: &Holdings) -> String {
    let shown = |(asset, points): &(String, i64)| match owed_asset(asset) {
        Some(_) if *points == 0 => None,
        Some(owed) => Some(format!("owes {points} {owed}")),
        None => Some(format!("{points} {asset}")),
    };
    let balances: Vec<String> = held.balances.iter().filter_map(shown).collect();
    match balances.is_empty() {
        true => "no account yet".to_owned(),
        false => balances.join(", "),
    }
}

/// Lifts the freeze of an owner.
///
/// # Errors
/// Returns a message for the user if no freeze was lifted.
pub async fn unfreeze(
    config: &Config,
    args: UnfreezeArgs,
    operator: Operator,
) -> Result<(), String> {
    let UnfreezeArgs { owner, reason } = args;
    check_owner(&owner)?;
    check_existence(config)?;
    let ledger = server::open_ledger(config, Clock::system()).await?;
    let lifted = ledger.unfreeze(&owner, &reason, &operator).await;
    ledger.close().await;
    let lifted = lifted.map_err(|error| format!("cannot unfreeze {owner}: {error}"))?;
    output::line(Escaped(match lifted.is_new {
        true => format!("unfroze {}", lifted.owner),
        false => format!("{} is not frozen", lifted.owner),
    }))
}

/// Lists the freezes that stand, with their reasons.
///
/// # Errors
/// Returns a message for the user if the ledger cannot be read.
pub async fn frozen(config: &Config) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let listed = list(&ledger, &Calendar::new(config.timezone.clone())).await;
    ledger.close().await;
    let count = listed?;
    output::line(format_args!("{count} frozen"))
}

async fn list(ledger: &Ledger, calendar: &Calendar) -> Result<usize, String> {
    let (mut last, mut count) = (String::new(), 0);
    loop {
        let freezes = ledger.freezes_after(&last).await;
        let freezes = freezes.map_err(|error| error.to_string())?;
        let Some(end) = freezes.last() else {
            return Ok(count);
        };
        last.clone_from(&end.owner);
        count += freezes.len();
        for freeze in &freezes {
            let since = calendar.format(freeze.since);
            let scope = freeze.scope.name();
            output::line(Escaped(format_args!(
                "{}  {scope}  since {since}  {}",
                freeze.owner, freeze.reason
            )))?;
        }
    }
}
