//! The server ends connections again and again, whatever they are at.

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

/// How often all connections are cut.
const CUTS: u64 = 40;
/// How many write what nothing makes the same when it comes again.
const ADDERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresql_cuts_connections() {
    cuts(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadb_cuts_connections() {
    cuts(ServerKind::MariaDb).await;
}

/// Who has a reference, or only reads, hears nothing of it.
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
        .map(|number| add_without_identity(&client, format!("adder {number}"), &stopped))
        .collect();
    load.wait_for_acknowledged(100).await;
    callers.all_succeed().await;
    let administrator = server.administrator().await;
    let mut cut = 0;
    for i in 0..CUTS {
        // On a machine so busy that no batch ends between two cuts, nothing would ever be written.
        load.wait_for_more(1).await;
        // At another point of a batch each time.
        sleep(Duration::from_millis(50 + i * 13 % 60)).await;
        cut += server.cut(&administrator).await;
    }
    assert!(cut > 40, "{cut} connections were cut");
    load.wait_for_more(50).await;
    stopped.store(true, Ordering::Relaxed);
    let mut sent = load.stop().await;
    assert_eq!(count(&sent, Outcome::is_unknown), 0, "{}", program.log());
    let broken = callers.stop().await;
    let told = broken.iter().all(|path| path.spends_a_nonce());
    assert!(told, "{broken:?} {}", program.log());
    for (number, adder) in adders.into_iter().enumerate() {
        let added = adder.await.unwrap();
        let user = format!("adder {number}");
        let stand = add(&client, &user).await.expect("nothing is cut now") - 1;
        let most = added.acknowledged + added.open;
        assert!(
            (added.acknowledged..=most).contains(&stand),
            "{stand} of {added:?}"
        );
    }
    reconcile(&program, &mut sent).await;
}

/// How many additions were acknowledged, and of how many nothing is known.
#[derive(Debug, Default)]
struct AddCounts {
    acknowledged: i64,
    open: i64,
}

fn add_without_identity(
    client: &Client,
    user: String,
    stopped: &Arc<AtomicBool>,
) -> JoinHandle<AddCounts> {
    let (client, stopped) = (client.clone(), stopped.clone());
    tokio::spawn(async move {
        let mut added = AddCounts::default();
        while !stopped.load(Ordering::Relaxed) {
            match add(&client, &user).await {
                Some(_) => added.acknowledged += 1,
                None => added.open += 1,
            }
            sleep(Duration::from_millis(10)).await;
        }
        added
    })
}

/// Adds one diamond and gives how many there are then; none where the gateway says that it is broken.
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
