//! The configuration: gateway.toml in three layers, read into one struct a section, with all its mistakes told at once.

mod amqp;
mod errors;
mod network;
mod openapi;
mod osx;
mod reader;
#[cfg(test)]
mod refusal_tests;
mod secret;
mod sections;
mod status;
#[cfg(test)]
mod tests;
mod tree;
mod yoho;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

pub use amqp::Amqp;
pub use errors::ConfigErrors;
pub use openapi::{Openapi, Partner, Sign};
pub use osx::{Keys, Osx, Rule, SCORES, UserToken};
pub use secret::Secret;
pub use sections::{Database, Ledger, Server};
pub use status::Status;
pub use yoho::{CoinType, Expiry, Once, Yoho};

use errors::{ConfigError, Layer, Origin};
use reader::{Desk, Section};

/// The committed file, which is the set of defaults.
const DEFAULTS: &str = include_str!("../../gateway.toml");

/// The name of the file where none is given, and the variable that gives one.
const FILE: &str = "gateway.toml";
const FILE_VARIABLE: &str = "POINTGATE_CONFIG";

/// The tables that the operator's file replaces as a whole, so that no sample key lives on beside the real ones.
const REPLACED_AS_A_WHOLE: [&[&str]; 1] = [&["yoho", "client_keys"]];

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The zone in which times are written and days and years begin.
    pub timezone: TimeZone,
    /// `[server]`.
    pub server: Server,
    /// `[database]`.
    pub database: Database,
    /// `[ledger]`.
    pub ledger: Ledger,
    /// `[yoho]`.
    pub yoho: Yoho,
    /// `[openapi]`.
    pub openapi: Openapi,
    /// `[osx]`.
    pub osx: Osx,
    /// `[status]`.
    pub status: Status,
    /// `[amqp]`.
    pub amqp: Amqp,
    /// Settings whose secret still is a sample from the committed gateway.toml, such as `yoho.salt`.
    pub samples: Vec<String>,
    /// Where it came from, for the log: the file's path, or that the built-in defaults are used.
    pub source: String,
}

impl Config {
    /// Reads the file `named`, else the one named by POINTGATE_CONFIG, else ./gateway.toml where it exists, else the
    /// built-in defaults as if they stood in the current directory; then the environment.
    ///
    /// # Errors
    /// All mistakes of the file and of the environment; a file that is named but absent or unreadable is one.
    pub fn load(named: Option<&Path>) -> Result<Config, ConfigErrors> {
        let (env, mistakes) = environment(std::env::vars_os());
        let variable = std::env::var_os(FILE_VARIABLE).filter(|name| !name.is_empty());
        let named = named.map(Path::to_path_buf).or(variable.map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| PathBuf::from(FILE));
        let (text, source) = match fs::read_to_string(&path) {
            Ok(text) => (text, path.display().to_string()),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => (
                String::new(),
                format!("the built-in defaults (there is no ./{FILE})"),
            ),
            Err(error) => {
                let mistake = ConfigError {
                    origin: Origin::file(path.display()),
                    path: Vec::new(),
                    text: format!("cannot read the configuration file: {error}"),
                };
                return Err(ConfigErrors(vec![mistake]));
            }
        };
        assemble(&text, &path, &env, source, mistakes)
    }

    /// Reads `text` as the operator's file. `file` names it in mistakes and its directory is where relative paths start;
    /// `env` holds the environment's variables as (name, value).
    ///
    /// # Errors
    /// All mistakes of both.
    pub fn parse(
        text: &str,
        file: &Path,
        env: &[(String, String)],
    ) -> Result<Config, ConfigErrors> {
        assemble(text, file, env, file.display().to_string(), Vec::new())
    }
}

/// Lays the layers over each other and reads the result; `wrong` are mistakes that were found before.
fn assemble(
    text: &str,
    file: &Path,
    env: &[(String, String)],
    source: String,
    mut wrong: Vec<ConfigError>,
) -> Result<Config, ConfigErrors> {
    let mut broken = Vec::new();
    let mut tree = tree::from_toml(
        DEFAULTS,
        Layer::BuiltIn,
        "built-in gateway.toml",
        &mut broken,
    );
    let (mut vocabulary, mut known_samples) = (BTreeSet::new(), BTreeSet::new());
    tree::survey(&tree, &mut vocabulary, &mut known_samples);

    let name = file.display().to_string();
    let operator = tree::from_toml(text, Layer::File, &name, &mut broken);
    for path in REPLACED_AS_A_WHOLE {
        tree::make_way(&mut tree, &operator, path);
    }
    tree::lay_over(&mut tree, operator, &[], &mut wrong);
    let variables = tree::from_env(env, &mut wrong);
    tree::lay_over(&mut tree, variables, &[], &mut wrong);

    if !broken.is_empty() {
        // After broken text nobody knows which secrets were meant.
        known_samples.clear();
    }
    let mut desk = Desk {
        dir: file.parent().unwrap_or(Path::new("")),
        env,
        known_samples,
        samples: Vec::new(),
        mistakes: wrong,
    };
    let origin = Origin::file(name);
    let config = Section::root(&mut desk, origin, tree, |root| read(root, source));
    match config {
        Some(config) if broken.is_empty() && desk.mistakes.is_empty() => Ok(config),
        _ => Err(ConfigErrors::settle(broken, desk.mistakes, &vocabulary)),
    }
}

/// Reads the sections, one line each. Those with secrets come before `[server]`, which holds its address against them.
fn read(root: &mut Section<'_, '_>, source: String) -> Option<Config> {
    let timezone = sections::timezone(root);
    let yoho = root.section("yoho", yoho::yoho);
    let openapi = root.section("openapi", openapi::openapi);
    let osx = root.section("osx", osx::osx);
    let status = root.section("status", status::status);
    let amqp = root.section("amqp", amqp::amqp);
    let server = root.section("server", sections::server);
    let database = root.section("database", sections::database);
    let ledger = root.section("ledger", sections::ledger);
    Some(Config {
        timezone: timezone?,
        server: server?,
        database: database?,
        ledger: ledger?,
        yoho: yoho?,
        openapi: openapi?,
        osx: osx?,
        status: status?,
        amqp: amqp?,
        samples: std::mem::take(&mut root.desk.samples),
        source,
    })
}

/// The environment as text. A setting that is not UTF-8 is a mistake; other such variables are not ours.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> (Vec<(String, String)>, Vec<ConfigError>) {
    let (mut env, mut mistakes) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => env.push((name, value)),
            Err(_) if name.to_uppercase().starts_with(tree::PREFIX) => mistakes.push(ConfigError {
                origin: Origin::variable(&name),
                path: Vec::new(),
                text: "is not UTF-8 text".to_owned(),
            }),
            Err(_) => {}
        }
    }
    (env, mistakes)
}
