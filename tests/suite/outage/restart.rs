//! The database ends, with and without a warning, and comes back while the gateway stays.

use super::callers::{Callers, all_succeed};
use super::database_server::{DatabaseServer, ServerKind};
use super::{client, gateway, reconcile, stop_load_and_callers, wait_for_readiness};
use crate::ledger::write_load::Load;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresql_is_killed() {
    goes_and_comes(ServerKind::Postgres, DatabaseServer::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadb_is_killed() {
    goes_and_comes(ServerKind::MariaDb, DatabaseServer::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresql_is_stopped() {
    goes_and_comes(ServerKind::Postgres, DatabaseServer::stop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadb_is_stopped() {
    goes_and_comes(ServerKind::MariaDb, DatabaseServer::stop).await;
}

/// Under load first: whatever comes back is an answer, and what it says is true. Then with nobody calling meanwhile, so that it
/// is the first callers who find the old connections.
async fn goes_and_comes(kind: ServerKind, end: fn(&mut DatabaseServer)) {
    let mut server = DatabaseServer::new(kind).await;
    let program = gateway(&server).await;
    let client = client(&program);
    let (load, callers) = (
        Load::steady(&client, "l", 12),
        Callers::start(&client).await,
    );
    load.wait_for_acknowledged(200).await;
    callers.all_succeed().await;
    end(&mut server);
    wait_for_readiness(&client, false).await;
    callers.all_fail().await;
    server.start().await;
    wait_for_readiness(&client, true).await;
    // Who comes from now on hears nothing of it.
    all_succeed(&client, 5).await;
    callers.all_succeed().await;
    let mut sent = stop_load_and_callers(load, callers).await;
    reconcile(&program, &mut sent).await;

    end(&mut server);
    server.start().await;
    wait_for_readiness(&client, true).await;
    all_succeed(&client, 20).await;
    program.audit();
}
