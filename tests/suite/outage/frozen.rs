//! The database stands still for a while: connections stay, and nothing comes back.

use super::callers::{Callers, Path, all_succeed};
use super::server::{Kind, Server};
use super::{all_were_told, client, gateway, says_ready, settle};
use crate::ledger::load::Load;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresql_stands_still() {
    stands_still(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadb_stands_still() {
    stands_still(Kind::MariaDb).await;
}

async fn stands_still(kind: Kind) {
    let server = Server::new(kind).await;
    let program = gateway(&server).await;
    let client = client(&program);
    let (load, callers) = (
        Load::steady(&client, "f", 12),
        Callers::start(&client).await,
    );
    load.acknowledged(200).await;
    callers.all_succeed().await;
    server.freeze();
    // Who watches the gateway learns of it before a caller does.
    tokio::select! {
        () = says_ready(&client, false) => {}
        _ = Path::Total.call(&client) => panic!("/readyz takes as long as a request may"),
    }
    // Those who asked before, and those who ask when it has been so for a while.
    callers.all_fail().await;
    callers.all_fail().await;
    server.thaw();
    says_ready(&client, true).await;
    callers.all_succeed().await;
    let mut sent = all_were_told(load, callers).await;
    all_succeed(&client, 5).await;
    settle(&program, &mut sent).await;
}
