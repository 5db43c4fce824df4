//! The command line: `pointgate [--config FILE] COMMAND`.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod audit;
mod clock;
mod commands;
mod copy;
mod corrections;
mod entries;
mod explain;
mod freeze;
mod journal;
mod liability;
mod link;
mod log_lines;
pub mod methods;
mod operator;
mod output;
mod pairs;
mod pid_file;
mod seal;
mod serve;
mod sign;
mod signing;
mod statement;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use corrections::CorrectionArgs;
use log_lines::LogGuard;
use output::Escaped;

use crate::clock::Clock;
use crate::config::Config;
use crate::endpoints;

#[derive(Parser)]
#[command(
    version,
    about = "One trusted points ledger behind the old single-endpoint protocols"
)]
struct Cli {
    /// The configuration file [default: $POINTGATE_CONFIG, else ./gateway.toml if it exists, else the built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default command)
    Serve,
    /// Make the running server take over its changed configuration, without dropping a connection
    Reload,
    /// List the keys of all callers and when each was last used
    Keys,
    /// Create the database's tables or bring them up to date
    Migrate,
    /// Check the configuration and report every error in it
    CheckConfig,
    /// List the methods, their parameters and their error codes
    Methods,
    /// Print a signed sample request to /gateway (yoho), the community (osx) or /api/v2 (openapi)
    Sign {
        /// The endpoint: yoho, osx or openapi
        endpoint: String,
        /// The method or Action, then its parameters; osx takes no method: with an action it signs /userActionNotify, else
        /// /getUserInfo
        #[arg(value_name = "METHOD | KEY=VALUE", required = true)]
        arguments: Vec<String>,
        /// The caller whose key signs: a client_type, or a partner's OpenId [default: the first configured]
        #[arg(long, value_name = "CALLER", alias = "partner")]
        caller: Option<String>,
    },
    /// Expire the points that are due (`serve` does so every day)
    Expire {
        /// Expire the points that are due by the end of this day, YYYY-MM-DD [default: those due now]
        #[arg(long, value_name = "DATE")]
        at: Option<jiff::civil::Date>,
        /// Print what would expire, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Expire also what is due only after today
        #[arg(long)]
        yes: bool,
    },
    /// List the payment events received from Ping++
    Payments {
        /// List only the events of this order
        #[arg(long, value_name = "N")]
        order: Option<String>,
    },
    /// Link a uid and a user_key that belong to one person, who then has one account under both
    Link(link::Names),
    /// Erase the profile and the follows of a member; accounts, entries, actions and payments stay
    Forget {
        /// The member, as accounts name their owner: uid:5 or key:abc
        owner: String,
        /// Erase; without it, list what would be erased
        #[arg(long)]
        yes: bool,
    },
    /// Give a member points, or take some
    Adjust(corrections::AdjustArgs),
    /// Take an entry back: points that were wrongly earned or spent
    Reverse(corrections::ReverseArgs),
    /// Give back points that expired wrongly
    Reinstate(corrections::ReinstateArgs),
    /// Move points from one member to another, with their expiries
    Transfer(corrections::TransferArgs),
    /// List the entries that an origin caused: a caller, or one of its keys
    Entries(entries::EntriesArgs),
    /// Freeze the accounts of a member: spending, or every movement of points but expiry
    Freeze(freeze::FreezeArgs),
    /// Lift the freeze of a member's accounts
    Unfreeze(freeze::UnfreezeArgs),
    /// List the frozen members, with the reasons
    Frozen,
    /// Compare the clock with what the ledger has seen and with the database server's clock
    Clock {
        /// Take the clock as right, so that the ledger is written again
        #[arg(long)]
        confirm: bool,
    },
    /// List what operators changed beside points: links, erased profiles, freezes and confirmed clocks
    Journal,
    /// Replay the entries of every account, verify every hash, and compare the tables with the result
    Audit(audit::AuditArgs),
    /// Make accounts, lots and contra accounts anew from the entries, where they differ. Stop all instances first
    Rebuild {
        /// Rebuild; without it, list what would be rebuilt
        #[arg(long)]
        yes: bool,
    },
    /// Print an entry: what happened, who asked for it, in which request
    Entry(explain::EntryArgs),
    /// Print the accounts of a member, with their lots and newest entries
    Account(explain::AccountArgs),
    /// Print the entries that a request caused
    Request(explain::RequestArgs),
    /// Print the movements of an account in a period, with their origins in words; with --proof also why they are all
    Statement(statement::StatementArgs),
    /// List points by asset and month of expiry, and what moved in a period by reason and origin
    Liability(liability::LiabilityArgs),
    /// Audit the ledger and seal it: sign a checkpoint that outsiders can hold it to (`serve` does so every day)
    Seal {
        #[command(subcommand)]
        command: Option<seal::SealCommand>,
    },
    /// Copy a whole ledger into an empty database of any supported kind; reads no configuration
    Copy(copy::Sides),
}

/// The exit status for invalid arguments, the same as clap's.
const USAGE: u8 = 2;

/// Runs the command given on the command line and returns the exit status of the process.
pub fn run() -> ExitCode {
    let log = log_lines::init();
    let cli = Cli::parse();
    if let Some(Command::Sign { arguments, .. }) = &cli.command
        && let Err(why) = sign::read(arguments)
    {
        let usage = Cli::command().error(ErrorKind::ValueValidation, why);
        let _ = usage.print();
        return ExitCode::from(USAGE);
    }
    // One thread is enough for the ledger: the HTTP workers and the SQLite connections have their own.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::error(format_args!("pointgate: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let file = cli.config;
    let done = match cli.command.unwrap_or(Command::Serve) {
        // Its arguments name both databases.
        Command::Copy(sides) => runtime.block_on(copy::copy(sides)),
        command => match Config::load(file.as_deref()) {
            Ok(config) => runtime.block_on(execute(command, &config, file, &log)),
            Err(errors) => {
                output::error(errors);
                return ExitCode::FAILURE;
            }
        },
    };
    // What still reads a file that blocks ends with the process.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            output::error(format_args!("pointgate: {}", Escaped(why)));
            ExitCode::FAILURE
        }
    }
}

async fn execute(
    command: Command,
    config: &Config,
    file: Option<PathBuf>,
    log: &LogGuard,
) -> Result<(), String> {
    match command {
        Command::Serve => serve::serve(config, file, log).await,
        Command::Reload => pid_file::reload(config),
        Command::Keys => commands::keys(config).await,
        Command::Migrate => commands::migrate(config).await,
        Command::CheckConfig => commands::check_config(config, &endpoints::all(config)?),
        Command::Methods => methods::print(&endpoints::all(config)?),
        Command::Sign {
            endpoint,
            arguments,
            caller,
        } => sign::sign(
            config,
            &endpoints::all(config)?,
            &endpoint,
            &arguments,
            caller,
        ),
        Command::Payments { order } => commands::payments(config, order.as_deref()).await,
        Command::Link(names) => {
            let context = operator::context(&Clock::system());
            let link = link::link(config, names, operator::of(&context));
            operator::run("link", &context, link).await
        }
        Command::Forget { owner, yes } => {
            let context = operator::context(&Clock::system());
            let by = yes.then(|| operator::of(&context));
            operator::run("forget", &context, journal::forget(config, &owner, by)).await
        }
        Command::Adjust(args) => correct(config, CorrectionArgs::Adjust(args)).await,
        Command::Reverse(args) => correct(config, CorrectionArgs::Reverse(args)).await,
        Command::Reinstate(args) => correct(config, CorrectionArgs::Reinstate(args)).await,
        Command::Transfer(args) => correct(config, CorrectionArgs::Transfer(args)).await,
        Command::Entries(args) => entries::entries(config, &args).await,
        Command::Freeze(args) => {
            let context = operator::context(&Clock::system());
            let by = args.yes.then(|| operator::of(&context));
            operator::run("freeze", &context, freeze::freeze(config, args, by)).await
        }
        Command::Unfreeze(args) => {
            let context = operator::context(&Clock::system());
            let unfreeze = freeze::unfreeze(config, args, operator::of(&context));
            operator::run("unfreeze", &context, unfreeze).await
        }
        Command::Frozen => freeze::frozen(config).await,
        Command::Clock { confirm: false } => clock::show(config).await,
        Command::Clock { confirm: true } => {
            let context = operator::context(&Clock::system());
            let confirmed = clock::confirm(config, operator::of(&context));
            operator::run("clock", &context, confirmed).await
        }
        Command::Journal => journal::journal(config).await,
        Command::Expire {
            at, dry_run: true, ..
        } => commands::would_expire(config, at).await,
        Command::Expire { at, yes, .. } => {
            let context = operator::context(&Clock::system());
            operator::run("expire", &context, commands::expire(config, at, yes)).await
        }
        Command::Audit(arguments) => audit::audit(config, &arguments).await,
        Command::Rebuild { yes } => {
            let context = operator::context(&Clock::system());
            let by = yes.then(|| operator::of(&context));
            operator::run("rebuild", &context, audit::rebuild(config, by)).await
        }
        Command::Entry(arguments) => explain::entry(config, &arguments).await,
        Command::Account(arguments) => explain::account(config, &arguments).await,
        Command::Request(arguments) => explain::request(config, &arguments).await,
        Command::Statement(arguments) => statement::statement(config, &arguments).await,
        Command::Liability(arguments) => liability::liability(config, &arguments).await,
        Command::Seal {
            command: Some(seal::SealCommand::Keygen { file }),
        } => signing::keygen(config, &file),
        Command::Seal {
            command: Some(seal::SealCommand::Log { since }),
        } => seal::log(config, since.as_deref()).await,
        Command::Seal { command } => {
            let next = command.and_then(seal::SealCommand::next_key);
            let context = operator::context(&Clock::system());
            let sealing = seal::seal(config, next.as_deref(), operator::of(&context));
            operator::run("seal", &context, sealing).await
        }
        Command::Copy(sides) => copy::copy(sides).await,
    }
}

async fn correct(config: &Config, args: CorrectionArgs) -> Result<(), String> {
    let context = operator::context(&Clock::system());
    let name = args.name();
    operator::run(name, &context, corrections::correct(config, args, &context)).await
}
