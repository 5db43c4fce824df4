//! The command line: `pointgate [--config FILE] COMMAND`.

mod commands;
mod copy;
mod log_lines;
mod methods;
mod sign;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

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
    /// Print a signed request
    #[command(subcommand)]
    Sign(SignCommand),
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

#[derive(Subcommand)]
enum SignCommand {
    /// For `/gateway`: a signed URL and a line for curl
    Yoho {
        /// The method, for example app.yohocoin.total
        method: String,
        /// Its parameters; client_type picks the key [default: the first configured]
        #[arg(value_name = "KEY=VALUE", value_parser = sign::pair)]
        parameters: Vec<(String, String)>,
    },
    /// For the community: a signed URL and a line for curl; `/getUserInfo` where there is no action
    Osx {
        /// Its parameters; appKey and endtimestamp are added
        #[arg(value_name = "KEY=VALUE", value_parser = sign::pair)]
        parameters: Vec<(String, String)>,
    },
    /// For `/api/v2`: a line for curl with a signed envelope
    Openapi {
        /// The Action, for example user.user-points-records
        action: String,
        /// Its Params
        #[arg(value_name = "KEY=VALUE", value_parser = sign::pair)]
        parameters: Vec<(String, String)>,
        /// The OpenId of the partner that signs [default: the first configured]
        #[arg(long, value_name = "OPEN_ID")]
        partner: Option<String>,
    },
}

/// Runs the command that the program was called with.
pub fn run() -> ExitCode {
    let _written = log_lines::init();
    let cli = Cli::parse();
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
        Command::CheckConfig => commands::check_config(config),
        Command::Methods => methods::print(config),
        Command::Sign(SignCommand::Yoho { method, parameters }) => {
            sign::yoho(config, &method, parameters)
        }
        Command::Sign(SignCommand::Openapi {
            action,
            parameters,
            partner,
        }) => sign::openapi(config, &action, parameters, partner.as_deref()),
        Command::Sign(SignCommand::Osx { parameters }) => sign::osx(config, parameters),
        Command::Payments { order } => commands::payments(config, order.as_deref()).await,
        Command::Link { uid, user_key } => commands::link(config, uid, &user_key).await,
        Command::Expire { at } => commands::expire(config, at).await,
        Command::Audit => commands::audit(config).await,
        Command::Copy { from, to } => copy::copy(&from, &to).await,
    }
}
