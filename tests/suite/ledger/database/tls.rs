//! A database that is not on this machine is not talked to without TLS, unless its URL says so.

use pointgate::ledger::database::Database;

use crate::database::{Fresh, MARIADB, POSTGRES};

/// The tests' servers have no TLS. By this name they are not on this machine for all that the program knows: only the resolver knows
/// it as an address.
async fn needs_tls(variable: &str, parameter: &str) {
    let fresh = Fresh::on(variable);
    let elsewhere = fresh.url().replace("@127.0.0.1:", "@127.1:");
    assert_ne!(elsewhere, fresh.url());
    for url in [&elsewhere, &format!("{elsewhere}?{parameter}=REQUIRED")] {
        let url = match variable == POSTGRES {
            true => url.replace("REQUIRED", "require"),
            false => url.clone(),
        };
        let error = Database::open(&url, 1).await.unwrap_err().to_string();
        assert!(error.contains("server does not support TLS"), "{error}");
        let remedy = format!("append {parameter}=disable");
        assert!(error.to_lowercase().contains(&remedy), "{error}");
        let password = url.split(':').nth(2).unwrap().split('@').next().unwrap();
        assert!(!error.contains(password), "{error}");
        let error = Database::open_read_only(&url)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("server does not support TLS"), "{error}");
    }
    let without = match variable == POSTGRES {
        true => "disable",
        false => "DISABLED",
    };
    let open = format!("{elsewhere}?{parameter}={without}");
    Database::open(&open, 1)
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresql_elsewhere_needs_tls() {
    needs_tls(POSTGRES, "sslmode").await;
}

#[tokio::test]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadb_elsewhere_needs_tls() {
    needs_tls(MARIADB, "ssl-mode").await;
}
