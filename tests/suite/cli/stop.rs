//! A stop finishes and stores the accepted requests in time, and accepts no new ones.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ledger::write_load::{Load, check};
use crate::program::{Program, sign_query};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_keeps_acknowledged_writes() {
    stops_under_load("TERM").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_under_load_keeps_acknowledged_writes() {
    stops_under_load("INT").await;
}

async fn stops_under_load(signal: &str) {
    let mut program = Program::new().await;
    let load = Load::start(&program.client(), "s", 24, 60);
    load.wait_for_acknowledged(200).await;
    program.signal(signal);
    let status = program.wait_for_exit().await;
    assert_eq!(status.code(), Some(0), "{}", program.log());
    let log = program.log();
    assert!(log.contains(&format!("SIG{signal}: stopping")), "{log}");
    assert!(log.trim_end().ends_with("stopped"), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    let sent = load.join().await;
    let unknown = sent.iter().filter(|one| one.outcome.is_unknown()).count();
    assert!(unknown > 0, "the load was over when it stopped");
    program.audit();
    program.restart().await;
    check(&program.client(), &sent).await;
}

#[tokio::test]
async fn idle_connections_do_not_delay_a_stop() {
    let mut program = Program::new().await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut connection = connect(&program).await;
        let request = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let mut answer = [0; 15];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        idle.push(connection);
    }
    idle.push(connect(&program).await); // has not sent anything
    let status = program.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", program.log());
    drop(idle);
}

#[tokio::test]
async fn sigterm_finishes_accepted_requests_and_refuses_new_ones() {
    refuses_new_requests("TERM").await;
}

#[tokio::test]
async fn sigint_finishes_accepted_requests_and_refuses_new_ones() {
    refuses_new_requests("INT").await;
}

/// A request with half its body sent keeps the program running, so that the test can see it refuse new connections.
async fn refuses_new_requests(signal: &str) {
    let mut program = Program::new().await;
    let form = sign_query(&[
        ("method", "app.yohocoin.get"),
        ("uid", "50030199"),
        ("num", "100"),
        ("type", "18"),
        ("referenceId", "under way"),
    ]);
    let (first, rest) = form.split_at(form.len() / 2);
    let mut accepted = connect(&program).await;
    let head = format!(
        "POST /gateway HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        form.len()
    );
    accepted.write_all(head.as_bytes()).await.unwrap();
    // "100 Continue" shows that the program has accepted the request and waits for its body.
    let mut go_on = [0; 12];
    accepted.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100");
    accepted.write_all(first.as_bytes()).await.unwrap();

    program.signal(signal);
    program
        .wait_for_log(&format!("SIG{signal}: stopping"))
        .await;
    // The listener closes a moment after the log says so.
    while answers(&program).await {
        assert!(program.is_running(), "it ended before the accepted request");
    }
    for _ in 0..10 {
        assert!(!answers(&program).await, "it accepts new connections");
    }
    assert!(program.is_running(), "it ended before the accepted request");

    accepted.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    accepted.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"currency\":\"100\""), "{answer}");
    let lower = answer.to_lowercase();
    assert!(lower.contains("connection: close\r\n"), "{answer}");
    assert_eq!(
        program.wait_for_exit().await.code(),
        Some(0),
        "{}",
        program.log()
    );
    program.restart().await;
    assert_eq!(program.client().total("50030199").await, 100);
}

async fn connect(program: &Program) -> TcpStream {
    TcpStream::connect(program.address).await.unwrap()
}

/// Whether the program answers on a new connection.
async fn answers(program: &Program) -> bool {
    let Ok(mut connection) = TcpStream::connect(program.address).await else {
        return false;
    };
    let request = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n";
    let sent = connection.write_all(request).await;
    let mut answer = Vec::new();
    sent.is_ok() && connection.read_to_end(&mut answer).await.is_ok() && !answer.is_empty()
}
