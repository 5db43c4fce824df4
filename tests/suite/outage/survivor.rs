//! One of two gateways on one database is killed, or stands still, under load of both; the other one goes on.

use std::time::Instant;

use super::callers::{Callers, all_succeed};
use super::server::{Kind, Server};
use super::{PATIENCE, client, count, gateway, settle, start};
use crate::ledger::load::{Load, Sent, Told, Write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn one_of_two_on_postgresql() {
    one_of_two(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn one_of_two_on_mariadb() {
    one_of_two(Kind::MariaDb).await;
}

async fn one_of_two(kind: Kind) {
    let server = Server::new(kind).await;
    let survivor = gateway(&server).await;
    let client_of_survivor = client(&survivor);
    let callers = Callers::start(&client_of_survivor).await;
    let stays = Load::steady(&client_of_survivor, "stays", 8);
    let mut all = Vec::new();
    for round in 0..3 {
        let mut killed = start(&survivor.place).await;
        let goes = Load::steady(&client(&killed), &format!("goes {round}"), 8);
        goes.acknowledged(60).await;
        killed.kill9();
        stays.goes_on(60).await;
        let sent = goes.end().await;
        assert!(
            count(&sent, |told| *told == Told::Nothing) > 0,
            "nothing was cut"
        );
        all.extend(sent);
    }
    callers.all_succeed().await;
    assert_eq!(callers.stop().await, [], "{}", survivor.log());
    let sent = stays.stop().await;
    assert_eq!(count(&sent, Told::is_open), 0, "{}", survivor.log());
    all.extend(sent);
    all_succeed(&client_of_survivor, 2).await;
    settle(&survivor, &mut all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn one_of_two_on_postgresql_stands_still() {
    one_of_two_stands_still(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn one_of_two_on_mariadb_stands_still() {
    one_of_two_stands_still(Kind::MariaDb).await;
}

/// Its connections stay, and with them what it has locked: whoever wants that is not kept for long.
async fn one_of_two_stands_still(kind: Kind) {
    let server = Server::new(kind).await;
    let survivor = gateway(&server).await;
    let stands = start(&survivor.place).await;
    let (client_of_survivor, client_of_other) = (client(&survivor), client(&stands));
    let stays = Load::steady(&client_of_survivor, "stays", 8);
    let mut all = Vec::new();
    for round in 0..3 {
        let still = Load::steady(&client_of_other, &format!("still {round}"), 8);
        still.acknowledged(60).await;
        stands.signal("STOP");
        let deadline = Instant::now() + PATIENCE;
        for write in Write::for_each(&format!("round {round}")) {
            let told = loop {
                match write.send(&client_of_survivor).await.unwrap() {
                    told if !told.is_open() => break told,
                    told => assert!(Instant::now() < deadline, "{write:?}: {told:?}"),
                }
            };
            all.push(Sent { write, told });
        }
        stands.signal("CONT");
        all.extend(still.stop().await);
    }
    stays.goes_on(60).await;
    all.extend(stays.stop().await);
    settle(&survivor, &mut all).await;
}
