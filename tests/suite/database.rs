//! A database of its own for each test: SQLite's file as a rule, or one on the server that POINTGATE_TEST_DATABASE names
//! (`postgres://postgres@127.0.0.1:5432`, `mysql://root@127.0.0.1:3306`).

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, Database};

/// The servers that `services.sh` makes sure of.
pub const POSTGRES: &str = "postgres://pointgate_test:pointgate_test@127.0.0.1:5432";
/// MariaDB's.
pub const MYSQL: &str = "mysql://pointgate_test:pointgate_test@127.0.0.1:3306";

/// A database on a server; it goes when this is dropped.
pub struct Fresh {
    server: String,
    name: String,
}

impl Fresh {
    /// A new one; none where the tests run on SQLite.
    pub fn new() -> Option<Fresh> {
        let server = std::env::var("POINTGATE_TEST_DATABASE").unwrap_or_default();
        (!server.is_empty()).then(|| Fresh::on(&server))
    }

    /// A new one on this server, whatever the tests run on.
    pub fn on(server: &str) -> Fresh {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pointgate_test_{}_{number}", std::process::id());
        let server = server.to_owned();
        let fresh = Fresh { server, name };
        fresh.administer(&fresh.dropping());
        fresh.administer(&format!("CREATE DATABASE {}", fresh.name));
        fresh
    }

    /// Where it is.
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
