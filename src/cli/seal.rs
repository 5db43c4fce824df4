//! The command `seal`, with its subcommands for keys, and the daily seal of the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use clap::Subcommand;
use serde_json::json;

use super::commands::{audit_passed, check_existence, progress_bar};
use super::operator;
use super::output::{self, Escaped};
use super::signing::{next_key, signing_key};
use super::witness::WitnessUrl;
use crate::clock::Clock;
use crate::config::{Config, SealWitness};
use crate::ledger::Ledger;
use crate::ledger::book::entry::Hash;
use crate::ledger::book::journal::Operator;
use crate::ledger::proof::log::prove_consistency;
use crate::ledger::proof::note::SigningKey;
use crate::ledger::read::seals::size_in;
use crate::ledger::upkeep::seal::witness::{Witness, WitnessFile};
use crate::ledger::upkeep::seal::{SealError, SealOrder, Sealed};
use crate::points::calendar::Calendar;
use crate::server;

/// The delay before a daily seal that failed is tried again: an audit may take minutes.
const RETRY_DELAY: Duration = Duration::from_secs(15 * 60);
/// How long after midnight the day's seal is made, so that what was due has expired by then.
const AFTER_MIDNIGHT: Duration = Duration::from_secs(10 * 60);

/// What `pointgate seal` does beside sealing.
#[derive(Subcommand)]
pub enum SealCommand {
    /// Make a signing key in a new file and print its public half
    Keygen {
        /// The file, which must not exist
        file: PathBuf,
    },
    /// Print the records of all seals, one a line; they are the leaves of the log
    Log {
        /// Print instead the proof that the log extends the checkpoint in this file
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
    /// Seal the ledger with the present key and the next one, which signs all later seals
    Rotate {
        /// The file of the next key
        file: PathBuf,
    },
}

impl SealCommand {
    /// The file of the key that signs from then on, if it changes.
    pub fn next_key(self) -> Option<PathBuf> {
        match self {
            SealCommand::Rotate { file } => Some(file),
            SealCommand::Keygen { .. } | SealCommand::Log { .. } => None,
        }
    }
}

/// Seals the ledger now, with the key of `[seal]`; `next` is the file of the key that signs from then on.
pub async fn seal(config: &Config, next: Option<&Path>, by: Operator) -> Result<(), String> {
    let key =
        signing_key(config)?.ok_or("seal.key_file is not set: there is no key to seal with")?;
    let next = next.map(|path| next_key(config, path)).transpose()?;
    check_existence(config)?;
    let ledger = server::open_ledger(config, Clock::system()).await?;
    let bar = progress_bar("{wide_bar} {human_pos}/{human_len} entries, {eta} left");
    let progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let sealed = sealed(&ledger, config, (&key, next.as_ref()), by, progress).await;
    bar.finish_and_clear();
    ledger.close().await;
    let sealed = sealed.map_err(|error| format!("not sealed: {error}"))?;
    output::line(audit_passed(&sealed.report))?;
    output::line(format_args!("seal {}:", sealed.number))?;
    sealed
        .note
        .lines()
        .try_for_each(|line| output::line(Escaped(line)))
}

/// Prints the log of seals, or the proof that it extends a checkpoint (RFC 6962, 2.1.2).
pub async fn log(config: &Config, since: Option<&Path>) -> Result<(), String> {
    let since = since.map(output::read_note).transpose()?;
    check_existence(config)?;
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let seals = ledger.seals().await;
    ledger.close().await;
    let seals = seals.map_err(|error| format!("cannot read the ledger: {error}"))?;
    let Some(note) = since else {
        return seals
            .iter()
            .try_for_each(|seal| output::line(seal.record.text()));
    };
    let failed = |why| format!("the checkpoint is not one of this ledger: {why}");
    let size = size_in(&note, &seals).map_err(failed)?;
    let leaves: Vec<Hash> = seals.iter().map(|seal| seal.record.leaf()).collect();
    let proof = prove_consistency(&leaves, size);
    let proof = proof.ok_or_else(|| failed("it has no seal".to_owned()))?;
    let proof: Vec<String> = proof.iter().map(hex::encode).collect();
    output::line(json!({"from": size, "proof": proof, "to": leaves.len()}))
}

/// Seals with these keys: the one that signs now, and the one that signs from then on.
async fn sealed(
    ledger: &Ledger,
    config: &Config,
    (key, next_key): (&SigningKey, Option<&SigningKey>),
    operator: Operator,
    progress: impl FnMut(u64, u64),
) -> Result<Sealed, SealError> {
    let calendar = Calendar::new(config.timezone.clone());
    let witness: Option<Box<dyn Witness>> = match &config.seal.witness {
        None => None,
        Some(SealWitness::File(path)) => Some(Box::new(WitnessFile::at(path.clone()))),
        Some(SealWitness::Url(url)) => {
            let url = WitnessUrl::at(url.reveal());
            let url = url.ok_or_else(|| SealError::Witness("it is no URL".to_owned()))?;
            Some(Box::new(url))
        }
    };
    let order = SealOrder {
        key,
        next_key,
        witness: witness.as_deref(),
        program: concat!("pointgate ", env!("CARGO_PKG_VERSION")),
        day: &|at| calendar.day(at).to_string(),
        month: &|at| calendar.last_month(at),
        operator,
    };
    ledger.seal(&order, progress).await
}

/// Seals the ledger once each local day: at the start, if that day has no seal yet, and after midnight, when what is due has expired.
pub async fn seal_daily(ledger: Ledger, config: Arc<ArcSwap<Config>>) {
    let calendar = Calendar::new(config.load().timezone.clone());
    loop {
        let config = config.load_full();
        if config.seal.key.is_none() {
            return;
        }
        let done = match is_sealed_today(&ledger, &calendar).await {
            Ok(true) => Ok(()),
            Ok(false) => seal_apart(config).await,
            Err(error) => Err(error.to_string()),
        };
        let wait = match done {
            Ok(()) => {
                let now = ledger.now();
                let (_, midnight) = calendar.day_bounds(now);
                let wait = u64::try_from(midnight.saturating_sub(now)).unwrap_or(0);
                Duration::from_millis(wait) + AFTER_MIDNIGHT
            }
            Err(why) => {
                log::error!("the ledger is not sealed, trying again in {RETRY_DELAY:?}: {why}");
                RETRY_DELAY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

async fn is_sealed_today(ledger: &Ledger, calendar: &Calendar) -> Result<bool, SealError> {
    let today = calendar.day(ledger.now()).to_string();
    let last = ledger.last_seal().await?;
    Ok(last.is_some_and(|last| last.day >= today))
}

/// Seals in a thread of its own, with connections of its own: an audit computes for minutes, and the thread of the writers must not wait for
/// it.
async fn seal_apart(config: Arc<Config>) -> Result<(), String> {
    let context = operator::context(&Clock::system());
    let seal = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(operator::run("seal", &context, async {
            let key = signing_key(&config)?.ok_or("seal.key_file is not set")?;
            let ledger = server::open_ledger(&config, Clock::system()).await?;
            let by = operator::of(&context);
            let sealed = sealed(&ledger, &config, (&key, None), by, |_, _| {}).await;
            ledger.close().await;
            match sealed {
                Ok(sealed) => {
                    log::info!("seal {}, {}", sealed.number, audit_passed(&sealed.report));
                    Ok(())
                }
                // Another instance was faster.
                Err(SealError::Superseded) => Ok(()),
                Err(error) => Err(error.to_string()),
            }
        }))
    };
    let sealed = tokio::task::spawn_blocking(seal).await;
    sealed.unwrap_or_else(|error| Err(error.to_string()))
}
