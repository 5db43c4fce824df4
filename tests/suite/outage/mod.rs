//! Something goes away under load: the database, for a while and in several ways, its connections, or one of two gateways.

mod callers;
mod cut_connections;
mod database_server;
pub mod disk;
mod frozen;
mod lost_commit;
mod restart;
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

/// How long a request may take here, by the configuration.
const REQUEST_TIMEOUT_SECONDS: &str = "4";
/// The bound on every answer: the request's timeout and patience with a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(12);
/// The bound on what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program on a private server.
async fn gateway(server: &DatabaseServer) -> Program {
    start(
        &ProgramDir::with_config(&format!("{CONFIG}{PARTNERS}{COMMUNITY}"))
            .on_database(&server.url()),
    )
    .await
}

/// One more there.
async fn start(dir: &ProgramDir) -> Program {
    let timeout = "POINTGATE__SERVER__REQUEST_TIMEOUT_SECONDS";
    Program::start(dir, &[(timeout, REQUEST_TIMEOUT_SECONDS)]).await
}

/// A client for which an answer that does not come in time is none.
fn client(program: &Program) -> Client {
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN);
    Client {
        http: http.build().unwrap(),
        ..program.client()
    }
}

/// Waits until `/readyz` says so; it always says something in time.
async fn wait_for_readiness(client: &Client, ready: bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = client.http.get(format!("{}/readyz", client.base)).send();
        let says = match answer.await.unwrap().status().as_u16() {
            200 => true,
            503 => false,
            other => panic!("/readyz says {other}"),
        };
        if says == ready {
            return;
        }
        assert!(Instant::now() < deadline, "/readyz still says {says}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Lets the load go on and then end with the callers, and gives its writes: each was answered, and some by the word for what is
/// broken.
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
        "nobody met it"
    );
    sent
}

/// Checks that what was told stands, once; that it does so when it is sent again; and that the rest can be finished.
async fn reconcile(program: &Program, sent: &mut [SentWrite]) {
    let client = program.client();
    let rows = check(&client, sent).await;
    repeat_acknowledged(&client, sent).await;
    assert_eq!(check(&client, sent).await, rows, "a retry changed rows");
    resolve_unknown(&client, sent).await;
    check(&client, sent).await;
    program.audit();
}

/// How many of these writes were told so.
fn count(sent: &[SentWrite], matches: impl Fn(&Outcome) -> bool) -> usize {
    sent.iter().filter(|one| matches(&one.outcome)).count()
}
