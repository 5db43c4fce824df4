//! The database ends, with and without a warning, and comes back while the gateway stays.

use super::callers::{Callers, all_succeed};
use super::server::{Kind, Server};
use super::{all_were_told, client, gateway, says_ready, settle};
use crate::ledger::load::Load;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresql_is_killed() {
    goes_and_comes(Kind::Postgres, Server::kill9).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadb_is_killed() {
    goes_and_comes(Kind::MariaDb, Server::kill9).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresql_is_stopped() {
    goes_and_comes(Kind::Postgres, Server::stop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadb_is_stopped() {
    goes_and_comes(Kind::MariaDb, Server::stop).await;
}

/// Under load first: whatever comes back is an answer, and what it says is true. Then with nobody calling meanwhile, so that it
/// is the first callers who find the old connections.
async fn goes_and_comes(kind: Kind, end: fn(&mut Server)) {
    let mut server = Server::new(kind).await;
    let program = gateway(&server).await;
    let client = client(&program);
    let (load, callers) = (
        Load::steady(&client, "l", 12),
        Callers::start(&client).await,
    );
    load.acknowledged(200).await;
    callers.all_succeed().await;
    end(&mut server);
    says_ready(&client, false).await;
    callers.all_fail().await;
    server.start().await;
    says_ready(&client, true).await;
    // Who comes from now on hears nothing of it.
    all_succeed(&client, 5).await;
    callers.all_succeed().await;
    let mut sent = all_were_told(load, callers).await;
    settle(&program, &mut sent).await;

    end(&mut server);
    server.start().await;
    says_ready(&client, true).await;
    all_succeed(&client, 20).await;
    program.audit();
}
