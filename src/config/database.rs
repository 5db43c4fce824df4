//! `[database]`: the URL of the ledger's database, a secret, since it may hold a password.

use std::path::Path;

use percent_encoding::percent_decode_str;
use url::Url;

use super::reader::{Invalid, Section};
use super::secret::Secret;

/// `[database]`: the database of the ledger.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite://PATH`, where a relative path is resolved against the directory of the configuration file; `postgres://…`;
    /// `mysql://…`. Show [`Database::shown`] instead.
    pub url: Secret,
}

/// The query parameters of a URL that hold no secret.
const SHOWN: [&str; 8] = [
    "sslmode", "ssl-mode", "host", "hostaddr", "port", "dbname", "user", "socket",
];

impl Database {
    /// Checks a URL given on the command line, where a relative path starts from the current directory.
    ///
    /// # Errors
    /// Returns the reason why the URL is invalid, without the URL, which may hold a password.
    pub fn at(url: &str) -> Result<Database, String> {
        match Database::read(url, Path::new("")) {
            Ok(database) => Ok(database),
            Err(Invalid::Malformed) => Err(format!("must be {DATABASE_URL}")),
            Err(Invalid::Because(reason)) => Err(reason),
        }
    }

    fn read(url: &str, dir: &Path) -> Result<Database, Invalid> {
        let url = Secret::new(database_url(url, dir)?);
        Ok(Database { url })
    }

    /// The URL for logs and messages: `***` stands for its password, and of its parameters only those that hold no secret are
    /// there.
    pub fn shown(&self) -> String {
        let url = self.url.reveal();
        let (scheme, _) = url.split_once(':').unwrap_or_default();
        if scheme == "sqlite" {
            return url.split('?').next().unwrap_or_default().to_owned();
        }
        let Ok(mut url) = Url::parse(url) else {
            return format!("{scheme}://***");
        };
        if url.password().is_some() {
            // It cannot fail for a URL that has a password.
            let _ = url.set_password(Some("***"));
        }
        let pairs = url.query_pairs().into_owned();
        let shown: Vec<_> = pairs
            .filter(|(name, _)| SHOWN.contains(&name.as_str()))
            .collect();
        url.set_query(None);
        if !shown.is_empty() {
            url.query_pairs_mut().extend_pairs(shown);
        }
        url.into()
    }
}

/// Reads `[database]`.
pub(super) fn database(section: &mut Section<'_, '_>) -> Option<Database> {
    let dir = section.reader.dir;
    section.parsed_secret("url", DATABASE_URL, |text| Database::read(text, dir))
}

/// The form of the URL of a database, for error messages.
const DATABASE_URL: &str = "\"sqlite://\" and the path of a file, such as \"sqlite://data/pointgate.db\", or \
    \"postgres://USER:PASSWORD@HOST/DATABASE\" or \"mysql://USER:PASSWORD@HOST/DATABASE\", where a password has its special \
    characters percent-encoded, such as %40 for @";

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

/// Checks the URL of a database server: it must name a database. A password that is not percent-encoded is refused where it would
/// end up as a part of the URL that is shown.
fn server_url(scheme: &str, rest: &str) -> Result<String, Invalid> {
    let text = format!("{scheme}://{rest}");
    let url = Url::parse(&text).map_err(|_| Invalid::Malformed)?;
    let database = url.path().trim_start_matches('/');
    if url.fragment().is_some() || database.is_empty() || database.contains('@') {
        return Err(Invalid::Malformed);
    }
    Ok(text)
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
    fn secrets_are_hidden() {
        for (url, shown) in [
            ("postgres://u:p@host/db", "postgres://u:***@host/db"),
            ("postgres://:p@host/db", "postgres://:***@host/db"),
            ("mysql://u:p:q@r@host:1/db?x=y", "mysql://u:***@host:1/db"),
            ("mysql://u@host/db", "mysql://u@host/db"),
            (
                "postgres://host/db?password=p@q&sslmode=require&sslkey=p",
                "postgres://host/db?sslmode=require",
            ),
            (
                "postgres:///db?user=u&pass%77ord=p&host=/run/pg&options[x]=p",
                "postgres:///db?user=u&host=%2Frun%2Fpg",
            ),
            ("sqlite://a:b@c.db?mode=rwc", "sqlite://a:b@c.db"),
            ("postgres://u:p/q@host/db", "postgres://***"),
        ] {
            let database = Database {
                url: Secret::new(url),
            };
            assert_eq!(database.shown(), shown);
            assert_eq!(format!("{database:?}"), "Database { url: [secret] }");
        }
    }

    #[test]
    fn the_url_of_a_server_must_name_a_database() {
        let read = |scheme, rest| server_url(scheme, rest).ok();
        let good = Some("postgres://u:p@host:5432/db?sslmode=disable".to_owned());
        assert_eq!(read("postgres", "u:p@host:5432/db?sslmode=disable"), good);
        assert_eq!(read("mysql", "host/db"), Some("mysql://host/db".to_owned()));
        assert!(read("postgres", "/db?host=/run/postgresql").is_some());
        for bad in ["", "host", "host/", "u:p@host", "u:p/x@host", "host/?db"] {
            assert_eq!(read("mysql", bad), None, "{bad}");
        }
    }

    /// The driver would take a part of the password for the host and the rest for the name of the database.
    #[test]
    fn a_password_must_be_percent_encoded() {
        for bad in [
            "u:1/x@host/db",
            "u:p/x@host/db",
            "u:p#x@host/db",
            "u:1#x@host/db",
            "u:1?x@host/db",
            "host/db#x",
        ] {
            assert!(server_url("mysql", bad).is_err(), "{bad}");
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
