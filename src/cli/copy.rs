//! `pointgate copy`: copies a whole ledger into another database.

use clap::Args;

use super::commands::{audit_passed, progress_bar};
use super::output::{self, Escaped};
use crate::config::Database;
use crate::ledger::Ledger;
use crate::ledger::upkeep::copy;

/// The two databases, as the command line names them.
#[derive(Args)]
pub struct Sides {
    /// The source: sqlite://FILE, postgres://USER:PASSWORD@HOST/DATABASE or mysql://USER:PASSWORD@HOST/DATABASE
    // clap would print an invalid value, password included, so `copy` checks both URLs.
    #[arg(long, value_name = "URL", required_unless_present = "from_env")]
    from: Option<String>,
    /// The environment variable that holds the URL of the source: other users can read the arguments of a program
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    from_env: Option<String>,
    /// The target: an empty database
    #[arg(long, value_name = "URL", required_unless_present = "to_env")]
    to: Option<String>,
    /// The environment variable that holds the URL of the target
    #[arg(long, value_name = "NAME", conflicts_with = "to")]
    to_env: Option<String>,
}

/// Copies the ledger at one URL into the empty database at the other one.
pub async fn copy(sides: Sides) -> Result<(), String> {
    let from = database("--from", sides.from, sides.from_env)?;
    let to = database("--to", sides.to, sides.to_env)?;
    if !Ledger::exists(from.url.reveal()) {
        return Err(format!("there is no ledger at {}", from.shown()));
    }
    let bar = progress_bar("{msg} {wide_bar} {human_pos}/{human_len}, {eta} left");
    let copied = copy::copy(from.url.reveal(), to.url.reveal(), |what, done, all| {
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
        let passed = audit_passed(&copied.report);
        output::line(Escaped(format_args!("{}: {passed}", side.shown())))?;
    }
    let tables = copied.tables.iter();
    let tables: Vec<String> = tables
        .map(|(name, rows)| format!("{rows} {name}"))
        .collect();
    output::line(format_args!("copied all rows: {}", tables.join(", ")))
}

/// Checks the URL of one side, given in an argument or in an environment variable. No message quotes either: somebody who confuses
/// the two options gives the URL as the name.
fn database(option: &str, url: Option<String>, name: Option<String>) -> Result<Database, String> {
    match (url, name) {
        (Some(url), _) => Database::at(&url).map_err(|why| format!("{option} {why}")),
        (None, Some(name)) => {
            let missing = || format!("{option}-env names an environment variable that is not set");
            let url = std::env::var(name).map_err(|_| missing())?;
            Database::at(&url).map_err(|why| format!("the variable of {option}-env {why}"))
        }
        (None, None) => Err(format!("{option} is missing")),
    }
}
