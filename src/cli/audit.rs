//! The commands `audit` and `rebuild`: whether the ledger is what its entries make it, and making it so.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::commands::{audit_passed, check_existence, progress_bar};
use super::output::{self, Escaped};
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::ledger::book::journal::Operator;
use crate::ledger::proof::note::Note;
use crate::ledger::upkeep::audit::{AuditError, Report};
use crate::members::MemberName;
use crate::server;

/// The most bytes of a file of checkpoints.
const MOST_BYTES: u64 = 8 << 20;

/// What to audit, and how to say it.
#[derive(Args)]
pub struct AuditArgs {
    /// Verify too that the ledger extends each checkpoint in this file, such as the file of a witness
    #[arg(long, value_name = "FILE", conflicts_with = "account")]
    since: Option<PathBuf>,
    /// Audit the accounts of this member alone: uid:5 or key:abc
    #[arg(long, value_name = "OWNER")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Replays the ledger; fails with the first discrepancy.
///
/// # Errors
/// Returns a message for the user, also if the ledger cannot be read.
pub async fn audit(config: &Config, arguments: &AuditArgs) -> Result<(), String> {
    check_existence(config)?;
    let since = arguments.since.as_deref();
    let published = since.map(read_notes).transpose()?.unwrap_or_default();
    if let Some(owner) = &arguments.account {
        MemberName::of_owner(owner).ok_or("an owner is uid:N or key:K, as in uid:5")?;
    }
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let audited = match &arguments.account {
        Some(owner) => match ledger.audit_owner(owner).await {
            Ok(None) => Err(format!("{owner} has no account")),
            audited => Ok(audited.map(Option::unwrap_or_default)),
        },
        None => Ok(audit_all(&ledger, &published).await),
    };
    ledger.close().await;
    let audited = audited?;
    if arguments.json {
        output::line(as_json(&audited, published.len()))?;
    }
    let report = audited.map_err(|error| format!("audit failed: {error}"))?;
    if arguments.json {
        return Ok(());
    }
    output::line(audit_passed(&report))?;
    match since {
        Some(_) => output::line(format_args!(
            "the ledger extends {} published checkpoints",
            published.len()
        )),
        None => Ok(()),
    }
}

async fn audit_all(ledger: &Ledger, published: &[Note]) -> Result<Report, AuditError> {
    let bar = progress_bar("{wide_bar} {human_pos}/{human_len} entries, {eta} left");
    let audited = ledger.audit_since(published, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    let audited = audited.await;
    bar.finish_and_clear();
    audited
}

fn as_json(audited: &Result<Report, AuditError>, checkpoints: usize) -> serde_json::Value {
    match audited {
        Ok(report) => json!({
            "accounts": report.accounts,
            "checkpoints": checkpoints,
            "entries": report.entries,
            "passed": true,
            // Beyond 64 bits, which no JSON reader needs to know.
            "points": report.points.to_string(),
        }),
        Err(AuditError::Broken { account, why }) => {
            json!({"passed": false, "where": account, "why": why})
        }
        Err(AuditError::Database(error)) => {
            json!({"passed": false, "where": null, "why": error.to_string()})
        }
    }
}

/// Makes what follows from entries anew, where it differs; without an operator, lists what that would be.
///
/// # Errors
/// Returns a message for the user if the entries themselves are inconsistent, or if the ledger cannot be written.
pub async fn rebuild(config: &Config, operator: Option<Operator>) -> Result<(), String> {
    check_existence(config)?;
    let would = operator.is_none();
    let ledger = server::open_ledger(config, Clock::system()).await?;
    let rebuilt = ledger.rebuild(operator).await;
    ledger.close().await;
    let rebuilt = rebuilt.map_err(|error| format!("nothing was rebuilt: {error}"))?;
    for name in rebuilt.accounts.iter().chain(&rebuilt.contras) {
        output::line(Escaped(name))?;
    }
    let (accounts, contras) = (rebuilt.accounts.len(), rebuilt.contras.len());
    let what = format!("{accounts} accounts and {contras} contra accounts");
    output::line(match would {
        true => format!("would rebuild {what}; --yes rebuilds them"),
        false => format!("rebuilt {what}"),
    })
}

/// The notes in a file of checkpoints: one, or those of a witness, each followed by an empty line.
fn read_notes(path: &Path) -> Result<Vec<Note>, String> {
    let text = output::read_short(path, MOST_BYTES)?;
    let failed = || format!("{}: is no file of signed notes", path.display());
    let mut notes = Vec::new();
    let mut rest = text.trim_end_matches('\n');
    while !rest.is_empty() {
        let (body, after) = rest.split_once("\n\n").ok_or_else(failed)?;
        let (signatures, after) = after.split_once("\n\n").unwrap_or((after, ""));
        let note = Note::parse(&format!("{body}\n\n{signatures}\n"));
        notes.push(note.map_err(|_| failed())?);
        rest = after;
    }
    match notes.is_empty() {
        true => Err(failed()),
        false => Ok(notes),
    }
}
