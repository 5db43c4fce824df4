//! The command line: `pointgate [--config FILE] COMMAND`.

mod commands;
mod copy;
mod log_lines;
pub mod methods;
mod sign;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Config;
use crate::endpoints;

#[derive(Parser)]
#[command(
    version,
    about = "One trusted points ledger behind the old single-endpoint protocols"
)]
struct Cli {
    /// The configuration [default: $POINTGATE_CONFIG, else gateway.toml where it exists, else the built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (what happens without a command)
    Serve,
    /// Bring the database's schema up to date
    Migrate,
    /// Read the configuration and say what is wrong with it
    CheckConfig,
    /// List the methods with their parameters and refusals
    Methods,
    /// Print a signed request: for /gateway (yoho), the community (osx) or /api/v2 (openapi)
    Sign {
        /// The endpoint: yoho, osx or openapi
        endpoint: String,
        /// The method or Action, then its parameters; osx has no method: /getUserInfo unless there is an action
        #[arg(value_name = "METHOD | KEY=VALUE", required = true)]
        arguments: Vec<String>,
        /// Whose key signs: a client_type, or the OpenId of a partner [default: the first configured]
        #[arg(long, value_name = "CALLER", alias = "partner")]
        caller: Option<String>,
    },
    /// Lapse the points that are due (`serve` does it daily)
    Expire {
        /// Lapse what is due by the end of this day, YYYY-MM-DD [default: what is due now]
        #[arg(long, value_name = "DATE")]
        at: Option<jiff::civil::Date>,
    },
    /// List what the payment provider told
    Payments {
        /// Only of this order
        #[arg(long, value_name = "N")]
        order: Option<String>,
    },
    /// Say that a uid and a user_key are one person, who then has one account under both
    Link {
        /// The shop's number
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
        uid: i64,
        /// The name on the community and the health platform
        #[arg(long, value_name = "K")]
        user_key: String,
    },
    /// Recompute every balance from entries and lots, check every hash and both sides of the books
    Audit,
    /// Copy a whole ledger into an empty database, also of another kind; reads no configuration
    Copy {
        /// The ledger: sqlite://FILE, postgres://USER:PASSWORD@HOST/DATABASE or mysql://USER:PASSWORD@HOST/DATABASE
        // Checked later on, since a text that is refused here is shown with its password.
        #[arg(long, value_name = "URL")]
        from: String,
        /// The empty database
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

/// The exit status of a wrong usage, as clap has it.
const USAGE: u8 = 2;

/// Runs the command that the program was called with.
pub fn run() -> ExitCode {
    let _written = log_lines::init();
    let cli = Cli::parse();
    if let Some(Command::Sign { arguments, .. }) = &cli.command
        && let Err(why) = sign::read(arguments)
    {
        let usage = Cli::command().error(ErrorKind::ValueValidation, why);
        let _ = usage.print();
        return ExitCode::from(USAGE);
    }
    // One thread for the ledger's own work: the server's workers and the database's connections bring theirs.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("pointgate: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = match cli.command.unwrap_or(Command::Serve) {
        // It names its databases itself.
        Command::Copy { from, to } => runtime.block_on(copy::copy(&from, &to)),
        command => match Config::load(cli.config.as_deref()) {
            Ok(config) => runtime.block_on(obey(command, &config)),
            Err(mistakes) => {
                eprintln!("{mistakes}");
                return ExitCode::FAILURE;
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("pointgate: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn obey(command: Command, config: &Config) -> Result<(), String> {
    match command {
        Command::Serve => commands::serve(config).await,
        Command::Migrate => commands::migrate(config).await,
        Command::CheckConfig => commands::check_config(config, &endpoints::all(config)?),
        Command::Methods => {
            methods::print(&endpoints::all(config)?);
            Ok(())
        }
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
        Command::Link { uid, user_key } => commands::link(config, uid, &user_key).await,
        Command::Expire { at } => commands::expire(config, at).await,
        Command::Audit => commands::audit(config).await,
        Command::Copy { from, to } => copy::copy(&from, &to).await,
    }
}
