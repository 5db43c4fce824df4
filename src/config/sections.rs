//! The settings that belong to no dialect: `[server]`, `[database]`, `[ledger]`, and the time zone.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use percent_encoding::percent_decode_str;

use super::errors::nearest;
use super::network;
use super::reader::{Invalid, Section};

/// `[server]`: the HTTP server.
#[derive(Clone, Debug)]
pub struct Server {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The number of threads that serve HTTP; 0 = one per core.
    pub workers: usize,
    /// The reverse proxies whose forwarding and request-id headers are trusted; IPv4-mapped networks are stored as IPv4.
    pub trusted_proxies: Vec<IpNet>,
    /// The networks that may read /metrics.
    pub metrics_from: Vec<IpNet>,
    /// The longest time that one request may take.
    pub request_timeout: Duration,
}

/// `[database]`: the database of the ledger.
#[derive(Clone)]
pub struct Database {
    /// `sqlite://PATH`, where a relative path is resolved against the directory of the configuration file; `postgres://…`;
    /// `mysql://…`. It may hold a password: show [`Database::shown`] instead.
    pub url: String,
}

impl Database {
    /// Checks a URL given on the command line, where a relative path starts from the current directory.
    ///
    /// # Errors
    /// Returns the reason why the URL is invalid, without the URL, which may hold a password.
    pub fn at(url: &str) -> Result<Database, String> {
        match database_url(url, Path::new("")) {
            Ok(url) => Ok(Database { url }),
            Err(Invalid::Malformed) => Err(format!("must be {DATABASE_URL}")),
            Err(Invalid::Because(reason)) => Err(reason),
        }
    }

    /// The URL with its password replaced by `***`, for logs and messages.
    pub fn shown(&self) -> String {
        let shown = || {
            let (scheme, rest) = self.url.split_once("://")?;
            let (user, place) = rest.rsplit_once('@')?;
            let (user, _) = user.split_once(':')?;
            Some(format!("{scheme}://{user}:***@{place}"))
        };
        match self.url.starts_with("sqlite:") {
            true => self.url.clone(),
            false => shown().unwrap_or_else(|| self.url.clone()),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Database")
            .field("url", &self.shown())
            .finish()
    }
}

/// `[ledger]`: the limits of the queue and its writers.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The most transactions that may wait to be written, 1 to 65536.
    pub queue: usize,
    /// The most transactions that share one commit, 1 to 65536.
    pub batch: usize,
    /// The number of writers that commit in parallel, 0 to 64; 0 = the best number for the database.
    pub writers: usize,
}

/// Reads the top-level `timezone`.
pub(super) fn timezone(root: &mut Section<'_, '_>) -> Option<TimeZone> {
    let expected = "the name of a time zone, such as \"Asia/Shanghai\" or \"UTC\"";
    root.parsed("timezone", expected, |text| match TimeZone::get(text) {
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ => {
            let names: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
            let near = nearest(text, names.iter().map(String::as_str)).ok_or(Invalid::Malformed)?;
            let message = format!("unknown time zone; did you mean \"{near}\"?");
            Err(Invalid::Because(message))
        }
    })
}

/// Reads `[server]`.
pub(super) fn server(section: &mut Section<'_, '_>) -> Option<Server> {
    let expected = "an IP address and a port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
    let samples = section.reader.samples.clone();
    let listen = section.parsed("listen", expected, |text| {
        let address = text.parse().map_err(|_| Invalid::Malformed)?;
        check_reachability(address, &samples)
    });
    let workers = section.integer("workers", 0..=1024);
    let trusted_proxies = section.list("trusted_proxies", network::EXPECTED, network::parse);
    let metrics_from = section.list("metrics_from", network::EXPECTED, network::parse);
    let seconds = section.integer("request_timeout_seconds", 1..=300);
    Some(Server {
        listen: listen?,
        workers: workers?,
        trusted_proxies: trusted_proxies?,
        metrics_from: metrics_from?,
        request_timeout: Duration::from_secs(seconds?),
    })
}

/// Reads `[database]`.
pub(super) fn database(section: &mut Section<'_, '_>) -> Option<Database> {
    let dir = section.reader.dir;
    let url = section.parsed("url", DATABASE_URL, |text| database_url(text, dir));
    Some(Database { url: url? })
}

/// Reads `[ledger]`.
pub(super) fn ledger(section: &mut Section<'_, '_>) -> Option<Ledger> {
    let queue = section.integer("queue", 1..=65536);
    let batch = section.integer("batch", 1..=65536);
    let writers = section.integer("writers", 0..=64);
    Some(Ledger {
        queue: queue?,
        batch: batch?,
        writers: writers?,
    })
}

/// Refuses an address that other machines can reach while sample secrets, which are public, are in use.
fn check_reachability(address: SocketAddr, samples: &[String]) -> Result<SocketAddr, Invalid> {
    if samples.is_empty() || address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    Err(Invalid::Because(format!(
        "must be a loopback address, such as 127.0.0.1, while settings hold sample secrets of the \
         built-in gateway.toml; set your own: {}",
        samples.join(", ")
    )))
}

/// The form of the URL of a database, for error messages.
const DATABASE_URL: &str = "\"sqlite://\" and the path of a file, such as \"sqlite://data/pointgate.db\", or \
    \"postgres://USER:PASSWORD@HOST/DATABASE\" or \"mysql://USER:PASSWORD@HOST/DATABASE\"";

/// Checks the URL of a database and resolves a relative path against `dir`.
fn database_url(url: &str, dir: &Path) -> Result<String, Invalid> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (name, scheme, is_built_in) = match scheme {
        "postgres" | "postgresql" => ("PostgreSQL", "postgres", cfg!(feature = "postgres")),
        "mysql" | "mariadb" => ("MySQL and MariaDB", "mysql", cfg!(feature = "mysql")),
        _ => return sqlite(url, dir),
    };
    if !is_built_in {
        return Err(Invalid::Because(format!(
            "this program was built without {name}; build it with the feature \"{scheme}\""
        )));
    }
    server_url(scheme, rest)
}

/// Checks the URL of a database server: it must name a database.
fn server_url(scheme: &str, rest: &str) -> Result<String, Invalid> {
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split('?').next().unwrap_or_default();
    match place.split_once('/') {
        Some((_, database)) if !database.is_empty() => Ok(format!("{scheme}://{rest}")),
        _ => Err(Invalid::Malformed),
    }
}

/// Checks the URL of an SQLite file and resolves its path against `dir`.
fn sqlite(url: &str, dir: &Path) -> Result<String, Invalid> {
    let because = |reason: &str| Err(Invalid::Because(reason.to_owned()));
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return Err(Invalid::Malformed);
    };
    let place = rest.strip_prefix("//").unwrap_or(rest);
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    if decoded.starts_with(":memory:") || query.contains("mode=memory") {
        return because(
            "an in-memory database would lose the ledger at every stop; \
             name a file, such as \"sqlite://data/pointgate.db\"",
        );
    }
    // SQLite reads `file:` as another URL with parameters of its own.
    if place == rest || path.is_empty() || decoded.starts_with("file:") {
        return Err(Invalid::Malformed);
    }
    if decoded.starts_with('/') || dir.as_os_str().is_empty() {
        return Ok(url.to_owned());
    }
    let Some(dir) = dir.to_str() else {
        return because(
            "the path of the configuration file's directory is not valid UTF-8; use an absolute path",
        );
    };
    // The driver decodes `%` and takes `?` as the start of parameters.
    let dir = dir.replace('%', "%25").replace('?', "%3F");
    Ok(format!("sqlite://{}/{place}", dir.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(url: &str, dir: &str) -> Option<String> {
        sqlite(url, Path::new(dir)).ok()
    }

    #[test]
    fn a_relative_path_starts_from_the_directory_of_the_file() {
        let at = |dir| resolved("sqlite://data/p.db", dir).unwrap();
        assert_eq!(at(""), "sqlite://data/p.db");
        assert_eq!(at("conf"), "sqlite://conf/data/p.db");
        assert_eq!(at("/etc/pointgate"), "sqlite:///etc/pointgate/data/p.db");
        assert_eq!(at("/"), "sqlite:///data/p.db");
        assert_eq!(at("/a%b?c"), "sqlite:///a%25b%3Fc/data/p.db");
        let absolute = resolved("sqlite:///var/p.db?mode=rwc", "/etc").unwrap();
        assert_eq!(absolute, "sqlite:///var/p.db?mode=rwc");
    }

    #[test]
    fn passwords_are_hidden() {
        for (url, shown) in [
            ("postgres://u:p@host/db", "postgres://u:***@host/db"),
            (
                "mysql://u:p:q@r@host:1/db?x=y",
                "mysql://u:***@host:1/db?x=y",
            ),
            ("mysql://u@host/db", "mysql://u@host/db"),
            ("sqlite://a:b@c.db", "sqlite://a:b@c.db"),
        ] {
            let database = Database {
                url: url.to_owned(),
            };
            assert_eq!(database.shown(), shown);
            let debug = format!("{database:?}");
            assert_eq!(debug, format!("Database {{ url: {shown:?} }}"));
        }
    }

    #[test]
    fn the_url_of_a_server_must_name_a_database() {
        let read = |scheme, rest| server_url(scheme, rest).ok();
        let good = Some("postgres://u:p@host:5432/db?sslmode=disable".to_owned());
        assert_eq!(read("postgres", "u:p@host:5432/db?sslmode=disable"), good);
        assert_eq!(read("mysql", "host/db"), Some("mysql://host/db".to_owned()));
        for bad in ["", "host", "host/", "u:p@host", "u:p/x@host", "host/?db"] {
            assert_eq!(read("mysql", bad), None, "{bad}");
        }
    }

    #[test]
    fn sqlite_needs_a_file() {
        for url in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://%3Amemory%3A",
            "sqlite://?mode=memory",
            "sqlite://x?cache=shared&mode=memory",
            "sqlite://file:x?mode=ro",
            "sqlite://",
            "sqlite:x.db",
            "data/pointgate.db",
        ] {
            assert!(resolved(url, "").is_none(), "{url}");
        }
    }
}
