//! The database stands still for a while: connections stay, and nothing comes back.

use super::callers::{Callers, Operation, all_succeed};
use super::database_server::{DatabaseServer, ServerKind};
use super::{client, gateway, reconcile, stop_load_and_callers, wait_for_readiness};
use crate::ledger::write_load::Load;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresql_stands_still() {
    stands_still(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadb_stands_still() {
    stands_still(ServerKind::MariaDb).await;
}

async fn stands_still(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let program = gateway(&server).await;
    let client = client(&program);
    let (load, callers) = (
        Load::steady(&client, "f", 12),
        Callers::start(&client).await,
    );
    load.wait_for_acknowledged(200).await;
    callers.all_succeed().await;
    server.freeze();
    // Who watches the gateway learns of it before a caller does.
    tokio::select! {
        () = wait_for_readiness(&client, false) => {}
        _ = Operation::Total.call(&client) => panic!("/readyz takes as long as a request may"),
    }
    // Those who asked before, and those who ask when it has been so for a while.
    callers.all_fail().await;
    callers.all_fail().await;
    server.thaw();
    wait_for_readiness(&client, true).await;
    callers.all_succeed().await;
    let mut sent = stop_load_and_callers(load, callers).await;
    all_succeed(&client, 5).await;
    reconcile(&program, &mut sent).await;
}
