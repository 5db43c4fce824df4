//! A database server with TLS: its certificate is checked where the URL says so, and encrypts where it does not.

use std::path::Path;

use pointgate::ledger::database::Database;
use rcgen::CertifiedKey;

use super::database_server::{DatabaseServer, ServerKind};

/// Writes a certificate for `localhost`, and its key, into a folder.
fn certify(folder: &Path, name: &str) -> [String; 2] {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let paths = ["pem", "key"].map(|end| folder.join(format!("{name}.{end}")));
    std::fs::write(&paths[0], cert.pem()).unwrap();
    std::fs::write(&paths[1], signing_key.serialize_pem()).unwrap();
    paths.map(|path| path.to_str().unwrap().to_owned())
}

async fn checks_the_certificate(kind: ServerKind, [required, verified, root]: [&str; 3]) {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = certify(folder.path(), "server");
    let [other, _] = certify(folder.path(), "other");
    let server = DatabaseServer::with_certificate(kind, &certificate, &key).await;
    let url = |host: &str| server.url().replace("@127.0.0.1:", &format!("@{host}:"));
    for url in [
        format!("{}?{required}", url("127.0.0.1")),
        format!("{}?{verified}&{root}={certificate}", url("localhost")),
    ] {
        let database = Database::open(&url, 1).await;
        database.unwrap().close().await.unwrap();
    }
    for url in [
        format!("{}?{verified}&{root}={other}", url("localhost")),
        format!("{}?{verified}", url("localhost")),
        // The certificate is for another name.
        format!("{}?{verified}&{root}={certificate}", url("127.0.0.1")),
    ] {
        let error = Database::open(&url, 1).await.unwrap_err().to_string();
        assert!(error.contains("certificate"), "{url}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs: tests/with_servers.sh"]
async fn postgresql_is_known_by_its_certificate() {
    let names = ["sslmode=require", "sslmode=verify-full", "sslrootcert"];
    checks_the_certificate(ServerKind::Postgres, names).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs MariaDB's programs: tests/with_servers.sh"]
async fn mariadb_is_known_by_its_certificate() {
    let names = ["ssl-mode=REQUIRED", "ssl-mode=VERIFY_IDENTITY", "ssl-ca"];
    checks_the_certificate(ServerKind::MariaDb, names).await;
}
