//! The command `statement`: the movements of an account in a period, with their origins in words, and a proof that they are all.

pub(in crate::cli) mod format;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use jiff::civil::Date;

use crate::cli::commands::check_existence;
use crate::cli::output;
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::ledger::book::lots::read_lots;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::read::prove::ProofOrder;
use crate::ledger::read::statement::PeriodWalk;
use crate::members::MemberName;
use crate::points::calendar::Calendar;
use crate::server;

use format::{StatementForm, StatementHead, Words};

/// Whose movements, when, and in which form.
#[derive(Args)]
#[command(group(ArgGroup::new("form").args(["csv", "json", "html"])))]
pub struct StatementArgs {
    /// The member, as accounts name their owner: uid:5 or key:abc
    owner: String,
    /// The kind of points
    #[arg(long, value_name = "NAME")]
    asset: String,
    /// The first day, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The last day, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// Print CSV
    #[arg(long)]
    csv: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print a page of HTML
    #[arg(long)]
    html: bool,
    /// Write the entries to this new file, with the proof that a checkpoint fixes them
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Prove it to the checkpoint in this file [default: the last one]
    #[arg(long, value_name = "FILE", requires = "proof")]
    checkpoint: Option<PathBuf>,
}

/// Prints a statement, and writes its proof if one is asked for.
pub async fn statement(config: &Config, arguments: &StatementArgs) -> Result<(), String> {
    MemberName::of_owner(&arguments.owner).ok_or("an owner is uid:N or key:K, as in uid:5")?;
    check_existence(config)?;
    let calendar = Calendar::new(config.timezone.clone());
    let period = period(&calendar, arguments.from, arguments.to)?;
    let order = ProofOrder {
        account: AccountKey {
            owner: arguments.owner.clone(),
            asset: arguments.asset.clone(),
        },
        from: period.0,
        until: period.1,
        checkpoint: arguments
            .checkpoint
            .as_deref()
            .map(output::read_note)
            .transpose()?,
    };
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let done = async {
        let words = Words::new(config, calendar);
        print(&ledger, arguments, &order, &words).await?;
        match &arguments.proof {
            Some(path) => prove(&ledger, &order, path).await,
            None => Ok(()),
        }
    };
    let done = done.await;
    ledger.close().await;
    done
}

/// The start of the first day and the end of the last one (ms).
///
/// # Errors
/// Returns a message for the user if the last day comes before the first.
pub fn period(calendar: &Calendar, from: Date, to: Date) -> Result<(i64, i64), String> {
    let next = to.tomorrow().map_err(|error| error.to_string())?;
    match (calendar.start_of(from), calendar.start_of(next)) {
        (Some(start), Some(end)) if start < end => Ok((start, end)),
        _ => Err(format!(
            "the period ends on {to}, before it begins on {from}"
        )),
    }
}

async fn print(
    ledger: &Ledger,
    arguments: &StatementArgs,
    order: &ProofOrder,
    words: &Words,
) -> Result<(), String> {
    let format = match (arguments.csv, arguments.json, arguments.html) {
        (true, ..) => StatementForm::Csv,
        (_, true, _) => StatementForm::Json,
        (.., true) => StatementForm::Html,
        _ => StatementForm::Text,
    };
    let failed = |error: crate::ledger::read::walk::WalkError| error.to_string();
    let walk = ledger.statement(&order.account, order.from, order.until);
    let mut walk: Option<PeriodWalk> = walk.await.map_err(failed)?;
    let account = walk.as_ref().map_or(&order.account, PeriodWalk::account);
    let head = StatementHead {
        account: account.clone(),
        from: arguments.from,
        to: arguments.to,
        opening: walk.as_ref().map_or(0, |walk| walk.opening),
    };
    output::line(format.head(&head))?;
    let mut first = true;
    while let Some(walk) = &mut walk
        && let Some(known) = walk.next().await.map_err(failed)?
    {
        output::line(format.row(&known, words, first))?;
        first = false;
    }
    let state = walk.map(|walk| walk.state());
    let closing = state.as_ref().map_or(0, |state| state.balance);
    let lots = state.and_then(|state| read_lots(&state.lots));
    output::line(format.tail(closing, &lots.unwrap_or_default(), words))
}

/// Writes the proof into a new file, which stays only if it is whole.
async fn prove(ledger: &Ledger, order: &ProofOrder, path: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    let file = File::create_new(path).map_err(failed)?;
    let mut file = BufWriter::new(file);
    let proven = ledger.prove(order, |line| writeln!(file, "{line}").map_err(failed));
    let proven = match proven.await.map_err(|error| error.to_string()) {
        Ok(proven) => file.flush().map_err(failed).map(|()| proven),
        Err(why) => Err(why),
    };
    let proven = proven.inspect_err(|_| {
        // Half a proof is none.
        let _ = std::fs::remove_file(path);
    })?;
    let opening = match proven.opening {
        Some(number) => format!("seal {number}"),
        None => "the first entry".to_owned(),
    };
    output::error(format_args!(
        "{}: {} entries, from {opening} to seal {}",
        path.display(),
        proven.entries,
        proven.closing
    ));
    Ok(())
}
