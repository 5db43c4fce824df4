//! A database of its own for each test: SQLite's file as a rule, or one on the server that `POINTGATE_TEST_DATABASE` names
//! (`postgres://NAME:PASSWORD@HOST:PORT`, `mysql://...`). Some tests need a certain server whatever the rest runs on: they find it
//! in the variables [`POSTGRES`] and [`MARIADB`], and are ignored unless asked for.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;

/// The variable with the URL of a PostgreSQL whose user may create databases and users.
pub const POSTGRES: &str = "POINTGATE_TEST_POSTGRES";
/// The variable with the URL of a MariaDB whose user may create databases and users, and do anything in them.
pub const MARIADB: &str = "POINTGATE_TEST_MARIADB";
/// The variable with the URL of a RabbitMQ whose user may configure, write and read everything in its virtual host.
pub const RABBITMQ: &str = "POINTGATE_TEST_AMQP_URL";
/// The variable with the URL of the same RabbitMQ for a user who may write and read everything, and configure nothing.
pub const RABBITMQ_LIMITED: &str = "POINTGATE_TEST_AMQP_LIMITED_URL";

/// The variable with a Python that has the package cryptography, which verifies statements.
pub const PYTHON: &str = "POINTGATE_TEST_PYTHON";

/// The value of one of the tests' variables, if it has one.
pub fn setting(variable: &str) -> Option<String> {
    std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty())
}

/// The database servers that the environment names, each by its variable: none on a machine without any.
pub fn servers() -> impl Iterator<Item = &'static str> {
    let all = [POSTGRES, MARIADB].into_iter();
    all.filter(|variable| setting(variable).is_some())
}

/// The value of one of the tests' variables, in a test that is ignored for want of it.
pub fn must(variable: &str) -> String {
    let value = setting(variable);
    value.unwrap_or_else(|| {
        panic!("{variable} is not set: run this test with tests/with_servers.sh")
    })
}

/// A database on a server; it goes when this is dropped.
pub struct Fresh {
    server: String,
    name: String,
}

impl Fresh {
    /// Creates a database; `None` if the tests run on SQLite.
    pub fn new() -> Option<Fresh> {
        setting("POINTGATE_TEST_DATABASE").map(|server| Fresh::at(&server))
    }

    /// A new one on the server that this variable names, whatever the tests run on.
    pub fn on(variable: &str) -> Fresh {
        Fresh::at(&must(variable))
    }

    fn at(server: &str) -> Fresh {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let fresh = Fresh {
            server: server.to_owned(),
            name: format!("pointgate_test_{}_{number}", std::process::id()),
        };
        fresh.administer(&fresh.dropping());
        fresh.administer(&format!("CREATE DATABASE {}", fresh.name));
        fresh
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    fn dropping(&self) -> String {
        let force = if self.is_postgres() {
            " WITH (FORCE)"
        } else {
            ""
        };
        format!("DROP DATABASE IF EXISTS {}{force}", self.name)
    }

    fn is_postgres(&self) -> bool {
        self.server.starts_with("postgres")
    }

    fn administer(&self, statement: &str) {
        let home = if self.is_postgres() {
            "postgres"
        } else {
            "mysql"
        };
        let url = format!("{}/{home}", self.server);
        wait(async {
            let db = Database::connect(url).await.unwrap();
            db.execute_unprepared(statement).await.unwrap();
            db.close().await.unwrap();
        });
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.administer(&self.dropping());
    }
}

/// The databases that a test compares, each with the variable that names its server, if it is one. `what_is_skipped` of the suite
/// says which of them are missing.
pub fn databases() -> Vec<(&'static str, Option<&'static str>)> {
    let named = [("PostgreSQL", POSTGRES), ("MariaDB", MARIADB)].into_iter();
    let there = named.filter(|(_, variable)| servers().any(|server| server == *variable));
    let there = there.map(|(name, variable)| (name, Some(variable)));
    [("SQLite", None)].into_iter().chain(there).collect()
}

/// The place of a ledger of a test's own; it goes when this is dropped.
pub struct Home {
    /// The URL of its database.
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

/// Waits for something from wherever a test is, be it in a runtime or not.
fn wait(what: impl Future<Output = ()> + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(what);
        });
        thread.join().unwrap();
    });
}
