//! The database server stops or is killed, and starts again, while the gateway keeps running.

use super::callers::{Callers, assert_all_succeed};
use super::database_server::{DatabaseServer, ServerKind};
use super::{client, gateway, reconcile, stop_load_and_callers, wait_for_readiness};
use crate::ledger::write_load::Load;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn the_gateway_recovers_from_a_killed_postgresql() {
    end_and_restart(ServerKind::Postgres, DatabaseServer::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn the_gateway_recovers_from_a_killed_mariadb() {
    end_and_restart(ServerKind::MariaDb, DatabaseServer::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn the_gateway_recovers_from_a_stopped_postgresql() {
    end_and_restart(ServerKind::Postgres, DatabaseServer::stop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn the_gateway_recovers_from_a_stopped_mariadb() {
    end_and_restart(ServerKind::MariaDb, DatabaseServer::stop).await;
}

/// The server ends first under load, when every answer must be true. Then it ends without any calls, so that the first callers
/// afterwards meet the broken connections.
async fn end_and_restart(kind: ServerKind, end: fn(&mut DatabaseServer)) {
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
    // Requests from now on succeed.
    assert_all_succeed(&client, 5).await;
    callers.all_succeed().await;
    let mut sent = stop_load_and_callers(load, callers).await;
    reconcile(&program, &mut sent).await;

    end(&mut server);
    server.start().await;
    wait_for_readiness(&client, true).await;
    assert_all_succeed(&client, 20).await;
    program.audit();
}
