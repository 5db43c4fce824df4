//! `pointgate copy`: a whole ledger into another database.

use super::commands::{bar, right};
use crate::config::Database;
use crate::ledger::Ledger;
use crate::ledger::upkeep::copy;

/// Copies what is at one URL into the empty database at another one.
pub async fn copy(from: &str, to: &str) -> Result<(), String> {
    let from = Database::at(from).map_err(|why| format!("--from {why}"))?;
    let to = Database::at(to).map_err(|why| format!("--to {why}"))?;
    // The source is looked at, and so not made.
    if !Ledger::exists(&from.url) {
        return Err(format!("there is no ledger at {}", from.shown()));
    }
    let bar = bar("{msg} {wide_bar} {human_pos}/{human_len}, {eta} left");
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
        println!("{}: {}", side.shown(), right(&copied.report));
    }
    let tables = copied.tables.iter();
    let tables: Vec<String> = tables
        .map(|(name, rows)| format!("{rows} {name}"))
        .collect();
    println!("copied every row: {}", tables.join(", "));
    Ok(())
}
