//! Something goes away under load: the database, for a while and in several ways, its connections, or one of two gateways.

mod callers;
mod commit;
mod cut;
pub mod disk;
mod down;
mod frozen;
mod server;
mod survivor;

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::ledger::load::{
    Load, Sent, Told, check, finish_what_was_cut_off, repeat_what_was_acknowledged,
};
use crate::openapi::client::PARTNERS;
use crate::osx::client::COMMUNITY;
use crate::program::{CONFIG, Client, Place, Program};
use callers::Callers;
use server::Server;

/// How long a request may take here, by the configuration.
const REQUEST_TIMEOUT_SECONDS: &str = "4";
/// The bound on every answer: the request's timeout and patience with a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(12);
/// The bound on what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program on a private server.
async fn gateway(server: &Server) -> Program {
    start(&Place::with(&format!("{CONFIG}{PARTNERS}{COMMUNITY}")).at(&server.url())).await
}

/// One more there.
async fn start(place: &Place) -> Program {
    let timeout = "POINTGATE__SERVER__REQUEST_TIMEOUT_SECONDS";
    Program::start(place, &[(timeout, REQUEST_TIMEOUT_SECONDS)]).await
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
async fn says_ready(client: &Client, ready: bool) {
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
async fn all_were_told(load: Load, callers: Callers) -> Vec<Sent> {
    load.goes_on(100).await;
    callers.stop().await;
    let sent = load.stop().await;
    assert_eq!(
        count(&sent, |told| *told == Told::Nothing),
        0,
        "not answered"
    );
    assert!(
        count(&sent, |told| *told == Told::Broken) > 0,
        "nobody met it"
    );
    sent
}

/// Checks that what was told stands, once; that it does so when it is sent again; and that the rest can be finished.
async fn settle(program: &Program, sent: &mut [Sent]) {
    let client = program.client();
    let rows = check(&client, sent).await;
    repeat_what_was_acknowledged(&client, sent).await;
    assert_eq!(check(&client, sent).await, rows, "a retry changed rows");
    finish_what_was_cut_off(&client, sent).await;
    check(&client, sent).await;
    program.audit();
}

/// How many of these writes were told so.
fn count(sent: &[Sent], told: impl Fn(&Told) -> bool) -> usize {
    sent.iter().filter(|one| told(&one.told)).count()
}
