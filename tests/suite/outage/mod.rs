//! Outages under load: of the database server, of its connections, of the disk, and of one of two gateways.

mod callers;
mod cut_connections;
mod database_server;
pub mod disk;
mod frozen;
mod lost_commit;
mod restart;
mod tls;
mod two_gateways;

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::ledger::write_load::{
    Load, Outcome, SentWrite, check, repeat_acknowledged, resolve_unknown,
};
use crate::openapi::client::PARTNERS;
use crate::osx::client::COMMUNITY;
use crate::program::{CONFIG, Client, Program, ProgramDir};
use callers::Callers;
use database_server::DatabaseServer;

/// The configured request timeout.
const REQUEST_TIMEOUT_SECONDS: &str = "4";
/// The limit for every answer: the request timeout and some slack for a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(12);
/// The limit for every wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the program on the database server of the test.
async fn gateway(server: &DatabaseServer) -> Program {
    start(
        &ProgramDir::with_config(&format!("{CONFIG}{PARTNERS}{COMMUNITY}"))
            .on_database(&server.url()),
    )
    .await
}

/// Starts another program in the same directory.
async fn start(dir: &ProgramDir) -> Program {
    let timeout = "POINTGATE__SERVER__REQUEST_TIMEOUT_SECONDS";
    Program::start(dir, &[(timeout, REQUEST_TIMEOUT_SECONDS)]).await
}

/// A client that fails a call after [`ANSWER_WITHIN`].
fn client(program: &Program) -> Client {
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN);
    Client {
        http: http.build().unwrap(),
        ..program.client()
    }
}

/// Waits until `/readyz` reports `ready`. Every request to it must be answered in time.
async fn wait_for_readiness(client: &Client, ready: bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = client.http.get(format!("{}/readyz", client.base)).send();
        let reported = match answer.await.unwrap().status().as_u16() {
            200 => true,
            503 => false,
            other => panic!("/readyz answers {other}"),
        };
        if reported == ready {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "/readyz still reports {reported}"
        );
        sleep(Duration::from_millis(20)).await;
    }
}

/// Lets the load go on for a while, stops it and the callers, and returns its writes. Each must have been answered, and some with
/// an internal error.
async fn stop_load_and_callers(load: Load, callers: Callers) -> Vec<SentWrite> {
    load.wait_for_more(100).await;
    callers.stop().await;
    let sent = load.stop().await;
    assert_eq!(
        count(&sent, |outcome| *outcome == Outcome::Unanswered),
        0,
        "not answered"
    );
    assert!(
        count(&sent, |outcome| *outcome == Outcome::Failed) > 0,
        "no write met the outage"
    );
    sent
}

/// Checks that each acknowledged write counts once, also when it is sent again, and that the others can be completed by a
/// retry.
async fn reconcile(program: &Program, sent: &mut [SentWrite]) {
    let client = program.client();
    let rows = check(&client, sent).await;
    repeat_acknowledged(&client, sent).await;
    assert_eq!(check(&client, sent).await, rows, "a retry changed rows");
    resolve_unknown(&client, sent).await;
    check(&client, sent).await;
    program.audit();
}

/// The number of writes whose outcome matches.
fn count(sent: &[SentWrite], matches: impl Fn(&Outcome) -> bool) -> usize {
    sent.iter().filter(|one| matches(&one.outcome)).count()
}
