//! `pointgate link`: links the two names of one person, or many such pairs from a file. The journal records each link.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;

use super::commands::{open_to_write, progress_bar};
use super::output::{self, Escaped};
use super::pairs::{Pairs, check_user_key};
use crate::config::Config;
use crate::ledger::book::journal::Operator;
use crate::members::{LinkError, Members};

/// One pair of names, or the file that lists many.
#[derive(Args)]
pub struct Names {
    /// The member's number in the shop
    #[arg(long, value_name = "N", required_unless_present = "file", value_parser = clap::value_parser!(i64).range(1..))]
    uid: Option<i64>,
    /// The member's name on the community and the health platform
    #[arg(long, value_name = "K", required_unless_present = "file")]
    user_key: Option<String>,
    /// A CSV file with many pairs, one `uid,user_key` a line; a first line with just these words is its header
    #[arg(long, value_name = "FILE", conflicts_with_all = ["uid", "user_key"])]
    file: Option<PathBuf>,
}

/// Links a uid and a user_key that belong to one person, or all pairs of a file.
///
/// # Errors
/// Returns a message for the user if the pair, or at least one line of the file, was not linked.
pub async fn link(config: &Config, names: Names, operator: Operator) -> Result<(), String> {
    match (names.file, names.uid, names.user_key) {
        (None, Some(uid), Some(user_key)) => link_one(config, uid, &user_key, operator).await,
        (Some(file), ..) => link_file(config, &file, operator).await,
        _ => Err("neither --uid and --user-key nor --file is given".to_owned()),
    }
}

async fn link_one(
    config: &Config,
    uid: i64,
    user_key: &str,
    operator: Operator,
) -> Result<(), String> {
    check_user_key(user_key)?;
    let ledger = open_to_write(config).await?;
    let members = Members::new(ledger.clone());
    let linked = members.link(uid, user_key, operator).await;
    ledger.close().await;
    linked.map_err(|error| format!("cannot link: {error}"))?;
    output::line(format_args!("linked uid {uid} and user_key {user_key}"))
}

/// How many lines of a file came to which end.
#[derive(Default)]
struct Counts {
    linked: u64,
    already_linked: u64,
    refused: u64,
}

async fn link_file(config: &Config, path: &Path, operator: Operator) -> Result<(), String> {
    let unreadable = |error| format!("cannot read {}: {error}", path.display());
    let file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let ledger = open_to_write(config).await?;
    let members = Members::new(ledger.clone());
    let mut counts = Counts::default();
    let ended = link_all(&members, Pairs::new(file), bytes, &operator, &mut counts).await;
    ledger.close().await;
    // Also after a failure: what is linked stays linked.
    output::line(format_args!(
        "linked {}, already linked {}, refused {}",
        counts.linked, counts.already_linked, counts.refused
    ))?;
    match (ended, counts.refused) {
        (Ok(()), 0) => Ok(()),
        (Ok(()), _) => Err("some lines were not linked".to_owned()),
        (Err(why), _) => Err(format!("stopped before the end of the file: {why}")),
    }
}

/// Links each pair in its own transaction and counts it. Goes on after a line that cannot be linked, and stops when nothing further
/// can be expected of the file, the database or the output.
async fn link_all(
    members: &Members,
    mut pairs: Pairs<File>,
    bytes: u64,
    operator: &Operator,
    counts: &mut Counts,
) -> Result<(), String> {
    let bar = progress_bar("{wide_bar} {bytes}/{total_bytes}, {eta} left");
    bar.set_length(bytes);
    let ended = loop {
        let line = match pairs.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.to_string()),
        };
        bar.set_position(pairs.bytes());
        let refused = match line.pair {
            Err(why) => why,
            Ok(pair) => match members
                .link(pair.uid, &pair.user_key, operator.clone())
                .await
            {
                Ok(is_new) => {
                    counts.linked += u64::from(is_new);
                    counts.already_linked += u64::from(!is_new);
                    continue;
                }
                Err(error @ LinkError::Database(_)) => {
                    break Err(format!("line {}: {error}", line.number));
                }
                Err(error) => error.to_string(),
            },
        };
        counts.refused += 1;
        let report = Escaped(format_args!("line {}: {refused}", line.number)).to_string();
        if let Err(why) = bar.suspend(|| output::line(report)) {
            break Err(why);
        }
    };
    bar.finish_and_clear();
    ended
}
