//! The configuration: gateway.toml in three layers, read into one struct per section; all errors are reported at once.
//!
//! ```text
//! tree.rs      TOML and environment variables → trees whose values know their location; merges the layers
//! reader.rs    typed access to the merged tree; records every error and goes on
//! errors.rs    errors with their locations, in the order of the file
//! secret.rs    secrets, given inline, by file or by environment variable; redacted everywhere
//! network.rs   addresses and networks
//! limits.rs    what a caller may do
//! salt.rs      the salt of YOHO's responses and its dated change
//! reload.rs    what a running program takes over, and what needs a restart
//! sections.rs database.rs seal.rs yoho.rs openapi.rs osx.rs status.rs amqp.rs   one struct and one reading function per section
//! ```
//!
//! # Why this is not serde with a configuration library
//! An operator who starts the program with a bad configuration gets every error in one run, each with its line or variable, a
//! hint at the nearest known name, and no secret. *toml* parses, and recovers after a syntax error. No library does enough of the
//! rest to replace half of this code:
//! - *figment* merges the layers and knows the source of each value, but by file, not by line, and extraction ends at the first
//!   error.
//! - *eserde* collects all errors, but only from one TOML text: merged layers have no deserializer that it accepts, and its errors
//!   have a path and no line.
//! - *toml's* `Spanned` keeps positions only while it deserializes one document directly; merged tables, `flatten` and environment
//!   variables have none, and deserialization ends at the first error.
//! - *serde_path_to_error* adds the path to the one error that serde returns.
//!
//! - *toml-span* and *toml-spanner* report all errors of one document with positions; layers, variables and secrets remain.
//!
//! Besides, the errors of serde quote the offending value, which may be a secret under a mistyped key.

mod amqp;
mod corrections;
mod database;
mod errors;
mod limits;
mod network;
mod openapi;
mod osx;
mod reader;
mod reload;
mod salt;
mod seal;
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
pub use corrections::Corrections;
pub use database::Database;
pub use errors::ConfigErrors;
pub use limits::Limits;
pub use openapi::{Openapi, Partner, SignedFields};
pub use osx::{Keys, Osx, Rule, SCORES, UserToken};
pub use salt::Salt;
pub use seal::{Seal, SealWitness};
pub use secret::Secret;
pub use sections::{Ledger, Retention, Server};
pub use status::Status;
pub use yoho::{Client, CoinType, Expiry, Uniqueness, Yoho};

use errors::{ConfigError, Layer, Location};
use reader::{Reader, Section};

/// The committed file, which is the set of defaults.
const DEFAULTS: &str = include_str!("../../gateway.toml");

/// The file that is read if none is named.
const DEFAULT_FILE: &str = "gateway.toml";
/// The environment variable that names a file.
const FILE_VARIABLE: &str = "POINTGATE_CONFIG";

/// The tables that a table of the operator's file replaces, each with that table, so that no sample key stays valid.
const REPLACED_TABLES: [[&[&str]; 2]; 2] = [
    [&["yoho", "client_keys"], &["yoho", "client_keys"]],
    [&["yoho", "client_keys"], &["yoho", "clients"]],
];

/// The validated settings of all layers.
#[derive(Clone, Debug)]
pub struct Config {
    /// The zone in which times are written and in which days and years begin.
    pub timezone: TimeZone,
    /// `[server]`.
    pub server: Server,
    /// `[database]`.
    pub database: Database,
    /// `[ledger]`.
    pub ledger: Ledger,
    /// `[seal]`.
    pub seal: Seal,
    /// `[retention]`.
    pub retention: Retention,
    /// `[corrections]`.
    pub corrections: Corrections,
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
    /// The paths of settings that hold a sample secret of the committed gateway.toml, such as `yoho.salt`.
    pub samples: Vec<String>,
    /// The source, for the log: the path of the file, or a note that only the built-in defaults apply.
    pub source: String,
}

impl Config {
    /// Reads the configuration from the built-in defaults, a file, and the environment. The file is `named`, else the one that
    /// POINTGATE_CONFIG names, else ./gateway.toml if it exists; without a file, relative paths start from the current directory.
    ///
    /// # Errors
    /// Returns all errors of the file and of the environment, or the one that a named file cannot be read.
    pub fn load(named: Option<&Path>) -> Result<Config, ConfigErrors> {
        let (env, errors) = environment(std::env::vars_os());
        let variable = std::env::var_os(FILE_VARIABLE).filter(|name| !name.is_empty());
        let named = named.map(Path::to_path_buf).or(variable.map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let (text, source) = match fs::read_to_string(&path) {
            Ok(text) => (text, path.display().to_string()),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => (
                String::new(),
                format!("the built-in defaults (there is no ./{DEFAULT_FILE})"),
            ),
            Err(error) => {
                let error = ConfigError {
                    location: Location::file(path.display()),
                    path: Vec::new(),
                    message: format!("cannot read the configuration file: {error}"),
                };
                return Err(ConfigErrors(vec![error]));
            }
        };
        assemble(&text, &path, &env, source, errors)
    }

    /// Reads the configuration with `text` as the operator's file. Errors name it `file`, and relative paths start from the
    /// directory of `file`. `env` holds the environment variables as (name, value).
    ///
    /// # Errors
    /// Returns all errors of the text and of the environment.
    pub fn parse(
        text: &str,
        file: &Path,
        env: &[(String, String)],
    ) -> Result<Config, ConfigErrors> {
        assemble(text, file, env, file.display().to_string(), Vec::new())
    }
}

/// Merges the layers and reads the result. `errors` are those found so far.
fn assemble(
    text: &str,
    file: &Path,
    env: &[(String, String)],
    source: String,
    mut errors: Vec<ConfigError>,
) -> Result<Config, ConfigErrors> {
    let mut syntax_errors = Vec::new();
    let mut tree = tree::from_toml(
        DEFAULTS,
        Layer::BuiltIn,
        "built-in gateway.toml",
        &mut syntax_errors,
    );
    let (mut known_keys, mut sample_secrets) = (BTreeSet::new(), BTreeSet::new());
    tree::collect_keys_and_samples(&tree, &mut known_keys, &mut sample_secrets);

    let name = file.display().to_string();
    let operator = tree::from_toml(text, Layer::File, &name, &mut syntax_errors);
    for [path, replaced_by] in REPLACED_TABLES {
        tree::clear_if_given(&mut tree, path, &operator, replaced_by);
    }
    tree::merge(&mut tree, operator, &[], &mut errors);
    let variables = tree::from_env(env, &mut errors);
    tree::merge(&mut tree, variables, &[], &mut errors);

    if !syntax_errors.is_empty() {
        // Recovery may have dropped the operator's own secrets: a sample in their place is no finding.
        sample_secrets.clear();
    }
    let mut reader = Reader {
        dir: file.parent().unwrap_or(Path::new("")),
        env,
        sample_secrets,
        samples: Vec::new(),
        errors,
    };
    let location = Location::file(name);
    let config = Section::root(&mut reader, location, tree, |root| read(root, source));
    match config {
        Some(config) if syntax_errors.is_empty() && reader.errors.is_empty() => Ok(config),
        _ => Err(ConfigErrors::new(syntax_errors, reader.errors, &known_keys)),
    }
}

/// Reads all sections. Those with secrets come first: `[server]` refuses a public address if any of them is a sample.
fn read(root: &mut Section<'_, '_>, source: String) -> Option<Config> {
    let timezone = sections::timezone(root);
    let zone = timezone.clone().unwrap_or(TimeZone::UTC);
    let yoho = root.section("yoho", |section| yoho::yoho(section, &zone));
    let openapi = root.section("openapi", openapi::openapi);
    let osx = root.section("osx", osx::osx);
    let status = root.section("status", status::status);
    let amqp = root.section("amqp", amqp::amqp);
    let server = root.section("server", sections::server);
    let database = root.section("database", database::database);
    let ledger = root.section("ledger", sections::ledger);
    let seal = root.section("seal", seal::seal);
    let retention = root.section("retention", sections::retention);
    let corrections = root.section("corrections", corrections::corrections);
    Some(Config {
        timezone: timezone?,
        server: server?,
        database: database?,
        ledger: ledger?,
        seal: seal?,
        retention: retention?,
        corrections: corrections?,
        yoho: yoho?,
        openapi: openapi?,
        osx: osx?,
        status: status?,
        amqp: amqp?,
        samples: std::mem::take(&mut root.reader.samples),
        source,
    })
}

/// The environment as text. A setting that is not UTF-8 is an error; other such variables are ignored.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> (Vec<(String, String)>, Vec<ConfigError>) {
    let (mut env, mut errors) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => env.push((name, value)),
            Err(_) if name.to_uppercase().starts_with(tree::PREFIX) => errors.push(ConfigError {
                location: Location::variable(&name),
                path: Vec::new(),
                message: "is not valid UTF-8".to_owned(),
            }),
            Err(_) => {}
        }
    }
    (env, errors)
}
