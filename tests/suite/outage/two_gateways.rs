//! One of two gateways on one database is killed, or stands still, under load of both; the other one goes on.

use std::time::Instant;

use super::callers::{Callers, all_succeed};
use super::database_server::{DatabaseServer, ServerKind};
use super::{PATIENCE, client, count, gateway, reconcile, start};
use crate::ledger::write_load::{Load, Outcome, SentWrite, Write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn one_of_two_on_postgresql() {
    one_of_two(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn one_of_two_on_mariadb() {
    one_of_two(ServerKind::MariaDb).await;
}

async fn one_of_two(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let survivor = gateway(&server).await;
    let client_of_survivor = client(&survivor);
    let callers = Callers::start(&client_of_survivor).await;
    let stays = Load::steady(&client_of_survivor, "stays", 8);
    let mut all = Vec::new();
    for round in 0..3 {
        let mut killed = start(&survivor.dir).await;
        let goes = Load::steady(&client(&killed), &format!("goes {round}"), 8);
        goes.wait_for_acknowledged(60).await;
        killed.kill();
        stays.wait_for_more(60).await;
        let sent = goes.join().await;
        assert!(
            count(&sent, |outcome| *outcome == Outcome::Unanswered) > 0,
            "nothing was cut"
        );
        all.extend(sent);
    }
    callers.all_succeed().await;
    assert_eq!(callers.stop().await, [], "{}", survivor.log());
    let sent = stays.stop().await;
    assert_eq!(count(&sent, Outcome::is_unknown), 0, "{}", survivor.log());
    all.extend(sent);
    all_succeed(&client_of_survivor, 2).await;
    reconcile(&survivor, &mut all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn one_of_two_on_postgresql_stands_still() {
    one_of_two_stands_still(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn one_of_two_on_mariadb_stands_still() {
    one_of_two_stands_still(ServerKind::MariaDb).await;
}

/// Its connections stay, and with them what it has locked: whoever wants that is not kept for long.
async fn one_of_two_stands_still(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let survivor = gateway(&server).await;
    let stands = start(&survivor.dir).await;
    let (client_of_survivor, client_of_other) = (client(&survivor), client(&stands));
    let stays = Load::steady(&client_of_survivor, "stays", 8);
    let mut all = Vec::new();
    for round in 0..3 {
        let still = Load::steady(&client_of_other, &format!("still {round}"), 8);
        still.wait_for_acknowledged(60).await;
        stands.signal("STOP");
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
        stands.signal("CONT");
        all.extend(still.stop().await);
    }
    stays.wait_for_more(60).await;
    all.extend(stays.stop().await);
    reconcile(&survivor, &mut all).await;
}
