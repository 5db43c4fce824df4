//! Two gateways on one database, both under load: one is killed or frozen, and the other goes on.

use std::time::Instant;

use super::callers::{Callers, assert_all_succeed};
use super::database_server::{DatabaseServer, ServerKind};
use super::{PATIENCE, client, count, gateway, reconcile, start};
use crate::ledger::write_load::{Load, Outcome, SentWrite, Write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn a_gateway_on_postgresql_survives_the_kill_of_another() {
    kill_one_of_two(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn a_gateway_on_mariadb_survives_the_kill_of_another() {
    kill_one_of_two(ServerKind::MariaDb).await;
}

async fn kill_one_of_two(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let survivor = gateway(&server).await;
    let client_of_survivor = client(&survivor);
    let callers = Callers::start(&client_of_survivor).await;
    let survivor_load = Load::steady(&client_of_survivor, "survivor", 8);
    let mut all = Vec::new();
    for round in 0..3 {
        let mut killed = start(&survivor.dir).await;
        let killed_load = Load::steady(&client(&killed), &format!("killed {round}"), 8);
        killed_load.wait_for_acknowledged(60).await;
        killed.kill();
        survivor_load.wait_for_more(60).await;
        let sent = killed_load.join().await;
        assert!(
            count(&sent, |outcome| *outcome == Outcome::Unanswered) > 0,
            "nothing was cut"
        );
        all.extend(sent);
    }
    callers.all_succeed().await;
    assert_eq!(callers.stop().await, [], "{}", survivor.log());
    let sent = survivor_load.stop().await;
    assert_eq!(count(&sent, Outcome::is_unknown), 0, "{}", survivor.log());
    all.extend(sent);
    assert_all_succeed(&client_of_survivor, 2).await;
    reconcile(&survivor, &mut all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn a_gateway_on_postgresql_survives_the_freeze_of_another() {
    freeze_one_of_two(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn a_gateway_on_mariadb_survives_the_freeze_of_another() {
    freeze_one_of_two(ServerKind::MariaDb).await;
}

/// The frozen gateway's connections keep their locks, which must not block the other gateway for long.
async fn freeze_one_of_two(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let survivor = gateway(&server).await;
    let frozen = start(&survivor.dir).await;
    let (client_of_survivor, client_of_frozen) = (client(&survivor), client(&frozen));
    let survivor_load = Load::steady(&client_of_survivor, "survivor", 8);
    let mut all = Vec::new();
    for round in 0..3 {
        let frozen_load = Load::steady(&client_of_frozen, &format!("frozen {round}"), 8);
        frozen_load.wait_for_acknowledged(60).await;
        frozen.signal("STOP");
        let deadline = Instant::now() + PATIENCE;
        for write in Write::one_per_user(&format!("round {round}")) {
            let outcome = loop {
                match write.send(&client_of_survivor).await.unwrap() {
                    outcome if !outcome.is_unknown() => break outcome,
                    outcome => assert!(Instant::now() < deadline, "{write:?}: {outcome:?}"),
                }
            };
            all.push(SentWrite { write, outcome });
        }
        frozen.signal("CONT");
        all.extend(frozen_load.stop().await);
    }
    survivor_load.wait_for_more(60).await;
    all.extend(survivor_load.stop().await);
    reconcile(&survivor, &mut all).await;
}
