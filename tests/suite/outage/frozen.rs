//! The database server is frozen for a while: connections stay open, and nothing answers.

use super::callers::{Callers, Operation, assert_all_succeed};
use super::database_server::{DatabaseServer, ServerKind};
use super::{client, gateway, reconcile, stop_load_and_callers, wait_for_readiness};
use crate::ledger::write_load::Load;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn the_gateway_recovers_from_a_frozen_postgresql() {
    freeze_and_thaw(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn the_gateway_recovers_from_a_frozen_mariadb() {
    freeze_and_thaw(ServerKind::MariaDb).await;
}

async fn freeze_and_thaw(kind: ServerKind) {
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
    // `/readyz` must report it before a call times out.
    tokio::select! {
        () = wait_for_readiness(&client, false) => {}
        _ = Operation::Total.call(&client) => panic!("/readyz takes as long as a request may"),
    }
    // The calls that were under way, and the calls that start during the freeze.
    callers.all_fail().await;
    callers.all_fail().await;
    server.thaw();
    wait_for_readiness(&client, true).await;
    callers.all_succeed().await;
    let mut sent = stop_load_and_callers(load, callers).await;
    assert_all_succeed(&client, 5).await;
    reconcile(&program, &mut sent).await;
}
