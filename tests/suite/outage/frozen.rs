//! The database server is frozen for a while: connections stay open, and nothing answers.

use std::time::Duration;

use futures_util::future::join_all;
use pointgate::ledger::database::Database;
use sea_orm::{ConnectionTrait, Statement};
use tokio::time::timeout;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn an_answer_that_comes_too_late_is_nobody_elses_on_postgresql() {
    abandon_reads(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn an_answer_that_comes_too_late_is_nobody_elses_on_mariadb() {
    abandon_reads(ServerKind::MariaDb).await;
}

async fn abandon_reads(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let database = Database::open(&server.url(), 1).await.unwrap();
    // The statement is known to every connection, so that it goes out without a round trip before it.
    let seven = || async {
        let seven = Statement::from_string(database.backend().database, "SELECT 7 AS seven");
        database.read().query_one_raw(seven).await
    };
    join_all((0..32).map(|_| seven())).await;
    server.freeze();
    let pings = join_all((0..8).map(|_| timeout(Duration::from_millis(300), database.ping())));
    assert!(pings.await.iter().all(Result::is_err), "it is not frozen");
    server.thaw();
    for answer in join_all((0..200).map(|_| seven())).await {
        let row = answer.unwrap().expect("a row");
        let seven: i64 = match kind {
            ServerKind::Postgres => row.try_get_by_index::<i32>(0).unwrap().into(),
            ServerKind::MariaDb => row.try_get_by_index(0).unwrap(),
        };
        assert_eq!(seven, 7);
    }
    database.close().await.unwrap();
}
