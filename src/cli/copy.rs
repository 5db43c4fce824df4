//! `pointgate copy`: copies a whole ledger into another database.

use super::commands::{audit_passed, progress_bar};
use crate::config::Database;
use crate::ledger::Ledger;
use crate::ledger::upkeep::copy;

/// Copies the ledger at the URL `from` into the empty database at the URL `to`.
pub async fn copy(from: &str, to: &str) -> Result<(), String> {
    let from = Database::at(from).map_err(|why| format!("--from {why}"))?;
    let to = Database::at(to).map_err(|why| format!("--to {why}"))?;
    // Opening a missing SQLite file would create it.
    if !Ledger::exists(&from.url) {
        return Err(format!("there is no ledger at {}", from.shown()));
    }
    let bar = progress_bar("{msg} {wide_bar} {human_pos}/{human_len}, {eta} left");
    let copied = copy::copy(&from.url, &to.url, |what, done, all| {
        if bar.message() != what {
            bar.reset();
            bar.set_message(what);
        }
        bar.set_length(all);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    let copied = copied.map_err(|error| format!("nothing was copied: {error}"))?;
    for side in [from, to] {
        println!("{}: {}", side.shown(), audit_passed(&copied.report));
    }
    let tables = copied.tables.iter();
    let tables: Vec<String> = tables
        .map(|(name, rows)| format!("{rows} {name}"))
        .collect();
    println!("copied all rows: {}", tables.join(", "));
    Ok(())
}
