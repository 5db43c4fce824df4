//! One of two gateways on one database is killed under load of both; the other one goes on.

use super::callers::{Callers, all_succeed};
use super::server::{Kind, Server};
use super::{client, count, gateway, settle, start};
use crate::ledger::load::{Load, Told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_on_postgresql() {
    one_of_two(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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
