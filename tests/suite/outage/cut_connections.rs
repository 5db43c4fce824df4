//! The database server ends the gateway's connections again and again, at any point of their work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::callers::Callers;
use super::database_server::{DatabaseServer, ServerKind};
use super::{client, count, gateway, reconcile};
use crate::ledger::write_load::{Load, Outcome};
use crate::program::Client;

/// How often the server ends all connections.
const ROUNDS: u64 = 40;
/// Clients whose writes have no idempotency key.
const ADDERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn cut_connections_of_postgresql_go_unnoticed() {
    cuts(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn cut_connections_of_mariadb_go_unnoticed() {
    cuts(ServerKind::MariaDb).await;
}

/// The gateway retries writes with an idempotency key and reads, so that their callers notice nothing.
async fn cuts(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let program = gateway(&server).await;
    let client = client(&program);
    let (load, callers) = (
        Load::steady(&client, "c", 12),
        Callers::start(&client).await,
    );
    let stopped = Arc::new(AtomicBool::new(false));
    let adders: Vec<_> = (0..ADDERS)
        .map(|number| start_adder(&client, format!("adder {number}"), &stopped))
        .collect();
    load.wait_for_acknowledged(100).await;
    callers.all_succeed().await;
    let administrator = server.administrator().await;
    let mut cut = 0;
    for i in 0..ROUNDS {
        // On a busy machine no batch might end between two cuts, and nothing would ever be written.
        load.wait_for_more(1).await;
        // Cut at a different point of a batch each time.
        sleep(Duration::from_millis(50 + i * 13 % 60)).await;
        cut += server.cut_connections(&administrator).await;
    }
    assert!(cut > 40, "{cut} connections were cut");
    load.wait_for_more(50).await;
    stopped.store(true, Ordering::Relaxed);
    let mut sent = load.stop().await;
    assert_eq!(count(&sent, Outcome::is_unknown), 0, "{}", program.log());
    let failed = callers.stop().await;
    let excused = failed.iter().all(|path| path.uses_a_nonce());
    assert!(excused, "{failed:?} {}", program.log());
    for (number, adder) in adders.into_iter().enumerate() {
        let added = adder.await.unwrap();
        let user = format!("adder {number}");
        let balance = add(&client, &user).await.expect("nothing is cut now") - 1;
        let most = added.acknowledged + added.unknown;
        assert!(
            (added.acknowledged..=most).contains(&balance),
            "{balance} of {added:?}"
        );
    }
    reconcile(&program, &mut sent).await;
}

/// The counts of acknowledged additions and of those with an unknown outcome.
#[derive(Debug, Default)]
struct AddCounts {
    acknowledged: i64,
    unknown: i64,
}

fn start_adder(client: &Client, user: String, stopped: &Arc<AtomicBool>) -> JoinHandle<AddCounts> {
    let (client, stopped) = (client.clone(), stopped.clone());
    tokio::spawn(async move {
        let mut added = AddCounts::default();
        while !stopped.load(Ordering::Relaxed) {
            match add(&client, &user).await {
                Some(_) => added.acknowledged += 1,
                None => added.unknown += 1,
            }
            sleep(Duration::from_millis(10)).await;
        }
        added
    })
}

/// Adds one diamond and returns the new balance; `None` if the gateway answers code 500.
async fn add(client: &Client, user: &str) -> Option<i64> {
    let parameters = [
        ("method", "status.add_diamond"),
        ("user_key", user),
        ("count", "1"),
        ("change_type", "outage"),
    ];
    let answer = client.call(&parameters).await.unwrap();
    match answer.code() {
        200 => answer.json["data"]["diamonds"].as_i64(),
        500 => None,
        _ => panic!("{}", answer.text),
    }
}
