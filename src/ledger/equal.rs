//! The databases side by side: whatever is said of one of them is true of each.

mod book;
#[path = "../../tests/suite/database.rs"]
#[allow(dead_code, missing_docs, reason = "the suite uses all of it")]
mod database;
mod lanes;
mod schema;

use tempfile::TempDir;

use database::{Fresh, MARIADB, POSTGRES, servers};

/// Each database that is there, and the variable that names the server where it is one: `what_is_skipped` of the suite says
/// which are not.
pub fn databases() -> Vec<(&'static str, Option<&'static str>)> {
    let named = [("PostgreSQL", POSTGRES), ("MariaDB", MARIADB)].into_iter();
    let there = named.filter(|(_, variable)| servers().any(|server| server == *variable));
    let there = there.map(|(name, variable)| (name, Some(variable)));
    [("SQLite", None)].into_iter().chain(there).collect()
}

/// Where a test keeps a ledger of its own; it goes when this is dropped.
pub struct Home {
    pub url: String,
    _folder: Option<TempDir>,
    _fresh: Option<Fresh>,
}

impl Home {
    /// A new one on the server that this variable names, or in SQLite's file.
    pub fn on(server: Option<&str>) -> Home {
        match server {
            Some(server) => {
                let fresh = Fresh::on(server);
                Home {
                    url: fresh.url(),
                    _folder: None,
                    _fresh: Some(fresh),
                }
            }
            None => {
                let folder = tempfile::tempdir().unwrap();
                Home {
                    url: format!("sqlite://{}", folder.path().join("a.db").display()),
                    _folder: Some(folder),
                    _fresh: None,
                }
            }
        }
    }
}
