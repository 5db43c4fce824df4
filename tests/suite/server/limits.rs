//! Health checks, request ids, `Cache-Control`, the body limit, and the answers when the write queue is full.

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use sea_orm::{
    ConnectionTrait, Database, DbBackend, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::program::Program;
use crate::test_gateway::{Answer, TestGateway, sealed, signed_query};

const JSON: Option<&str> = Some("application/json");

fn total(coins: i64) -> Answer {
    let data = format!(r#"{{"code":"20111130-152530","total":{coins}}}"#);
    sealed(200, &data, "yoho coin total")
}

fn busy() -> Answer {
    (503, r#"{"code":503,"message":"系统繁忙"}"#.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_checks_follow_the_ledger() {
    let gateway = TestGateway::start().await;
    let broken = || (500, r#"{"code":500,"message":"系统错误"}"#.to_owned());
    let rows = [("/healthz", 200, "ok\n"), ("/readyz", 200, "ready\n")];
    for (path, status, body) in rows {
        let response = gateway.get_response(path).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.text().await.unwrap(), body, "{path}");
    }
    assert_eq!(gateway.call("app.yohocoin.total", "uid=5").await, total(0));

    // With its ledger closed, the server is alive but not ready, and answers calls with code 500 in the envelope.
    gateway.ledger().close().await;
    let rows = [("/healthz", 200, "ok\n"), ("/readyz", 503, "not ready\n")];
    for (path, status, body) in rows {
        let response = gateway.get_response(path).await;
        assert_eq!(response.status(), status, "{path}, closed");
        assert_eq!(response.text().await.unwrap(), body, "{path}, closed");
    }
    for (method, parameters) in [
        ("app.yohocoin.total", "uid=5"),
        ("app.yoho.yohocoin", "uid=5"),
        ("app.yohocoin.lists", "uid=5"),
        ("app.yohocoin.get", "uid=5&num=1&type=18&referenceId=a"),
        ("app.yohocoin.subtract", "uid=5&num=-1&type=19&orderCode=A"),
        ("app.yohocoin.return", "uid=5&num=1&type=22&orderCode=A"),
    ] {
        assert_eq!(gateway.call(method, parameters).await, broken(), "{method}");
    }
    let refused = gateway.call("app.yohocoin.get", "uid=5&num=0").await;
    assert_eq!(
        refused,
        crate::test_gateway::fault(402, "获取的有货币不合法")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_a_unique_request_id() {
    let gateway = TestGateway::start().await;
    let signed = signed_query("app.yohocoin.total");
    let mut ids = Vec::new();
    for query in [signed.as_str(), signed.as_str(), "", "a=%FF", "method=none"] {
        let response = gateway.get_response(&format!("/gateway?{query}")).await;
        let id = response.headers().get("x-request-id").unwrap();
        ids.push(id.to_str().unwrap().to_owned());
    }
    assert!(ids.iter().all(|id| !id.is_empty()), "{ids:?}");
    let mut different = ids.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), ids.len(), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_may_be_cached() {
    let gateway = TestGateway::start().await;
    let total = "/gateway?method=app.yohocoin.total&uid=5&debug=XYZ";
    for (path, status) in [
        (total, 200),
        ("/gateway?client_type=none", 200),
        ("/gateway?a=%FF", 200),
        ("/userActionNotify", 200),
        ("/getUserInfo", 200),
        ("/metrics", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/no/such/path", 404),
        ("/api/v2", 405),
    ] {
        let response = gateway.get_response(path).await;
        let cache = response.headers().get_all("cache-control");
        let cache: Vec<_> = cache.iter().map(|it| it.to_str().unwrap()).collect();
        assert_eq!(
            (response.status().as_u16(), cache),
            (status, vec!["no-store"]),
            "{path}"
        );
    }
    gateway.ledger().close().await;
    for (path, status) in [("/readyz", 503), (total, 500)] {
        let response = gateway.get_response(path).await;
        assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
        assert_eq!(response.status(), status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_above_64_kibibytes_is_refused() {
    let gateway = TestGateway::start().await;
    let query = signed_query("app.yohocoin.total");
    let begun = gateway.call("app.yohocoin.get", "uid=5&num=5&type=18&referenceId=a");
    let five = sealed(200, r#"{"currency":"5","uid":5}"#, "ok");
    assert_eq!(begun.await, five);
    let too_large = (413, r#"{"code":413,"message":"请求体过大"}"#.to_owned());
    let most = 64 << 10;
    for (length, answer) in [
        (most, total(5)),
        (most + 1, too_large.clone()),
        (100 * most, too_large.clone()),
    ] {
        // The object stands at the very end, so a body cut short has no `uid`.
        let object = r#"{"uid":5}"#;
        let body = " ".repeat(length - object.len()) + object;
        assert_eq!(body.len(), length);
        assert_eq!(
            gateway.post(&query, JSON, body).await,
            answer,
            "{length} bytes"
        );
        let next = gateway.call("app.yohocoin.total", "uid=5").await;
        assert_eq!(next, total(5), "after {length} bytes");
    }
}

/// A payment's event may be larger than a call, since its provider decides what stands in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_has_256_kibibytes() {
    let gateway = TestGateway::start().await;
    let query = "method=status.pay_notify";
    let (status, _) = gateway.post(query, JSON, " ".repeat(256 << 10)).await;
    assert_eq!(status, 403, "read, and not signed");
    let (status, _) = gateway.post(query, JSON, " ".repeat((256 << 10) + 1)).await;
    assert_eq!(status, 413);
}

/// Connections above the rate wait for their turn, and are served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_of_connections_is_bounded() {
    let gateway = TestGateway::with_config("[server]\nmax_connections_per_second = 4").await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    // Four pass at once, and four in the next second.
    let answers = join_all((0..12).map(|_| gateway.send_bytes(request))).await;
    for answer in answers {
        assert!(answer.unwrap().ends_with("ok\n"));
    }
    let metrics = gateway.get_path("/metrics").await.1;
    let name = "pointgate_connections_delayed_total ";
    let delayed = metrics.lines().find_map(|line| line.strip_prefix(name));
    assert!(delayed.unwrap().parse::<u32>().unwrap() > 0, "{metrics}");
}

/// Bodies that never end hold no more memory than all bodies together may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_bodies_are_bounded_as_a_whole() {
    let program = Program::new().await;
    let client = program.client();
    let (before, size) = (memory(&program), (256 << 10) - 1);
    let head = format!(
        "POST /gateway?method=status.pay_notify HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        size + 1
    );
    let request = [head.as_bytes(), &vec![b' '; size]].concat();
    let address = program.address;
    let send = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may close it after its refusal.
        let _ = stream.write_all(&request).await;
        stream
    };
    let mut open = join_all((0..400).map(|_| send())).await;
    let grown = memory(&program).saturating_sub(before);
    assert!(grown <= 96 << 20, "it grew by {grown} bytes");
    let status = async |stream: &mut TcpStream| {
        let mut start = [0; 12];
        let read = timeout(Duration::from_secs(1), stream.read_exact(&mut start)).await;
        read.ok()?.ok()?;
        Some(start)
    };
    let answers = join_all(open.iter_mut().map(status)).await;
    let refused = answers.iter().flatten().filter(|it| *it == b"HTTP/1.1 503");
    assert!(refused.count() > 0, "some were refused");
    assert_eq!(client.total("5").await, 0, "others are served");
    drop(open);
    // What they held is free again, as soon as the server notices.
    let url = format!("{}/gateway?method=status.pay_notify", client.base);
    let large = || client.http.post(&url).body(" ".repeat(200 << 10)).send();
    let freed = async { while large().await.unwrap().status() == 503 {} };
    timeout(Duration::from_secs(60), freed).await.unwrap();
}

/// The resident memory of a program (bytes).
fn memory(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.process_id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.unwrap().split_whitespace().next().unwrap();
    kibibytes.parse::<u64>().unwrap() << 10
}

/// The queue has room for one posting. The balance holds exactly the acknowledged postings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_full_queue_only_acknowledged_postings_count() {
    let gateway = TestGateway::with_config("[ledger]\nqueue = 1\nbatch = 1").await;
    let calls: FuturesUnordered<_> = (0..200)
        .map(|i| {
            let gateway = &gateway;
            let parameters = format!("uid=5&num=1&type=18&referenceId=r{i}");
            async move { gateway.call("app.yohocoin.get", &parameters).await }
        })
        .collect();
    let answers: Vec<Answer> = calls.collect().await;
    assert_eq!(answers.len(), 200);
    let acknowledged = count_acknowledged(answers, 1);
    // A read finds room in the queue once the postings are done.
    let owner = pointgate::ledger::book::transaction::AccountKey {
        owner: "uid:5".into(),
        asset: "coin".into(),
    };
    assert_eq!(
        gateway.ledger().balance(owner).await,
        Ok(Some(acknowledged))
    );
    assert_eq!(gateway.audit().await.points, i128::from(acknowledged));
}

/// While another connection holds SQLite's write lock, or the account's row on a server, the writer has one posting and the queue
/// another; the rest get 503 at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_at_once() {
    let gateway = TestGateway::with_config("[ledger]\nqueue = 1\nbatch = 1").await;
    let earn = "uid=5&num=1&type=18&referenceId=first";
    let first = gateway.call("app.yohocoin.get", earn).await;
    assert_eq!(count_acknowledged(vec![first], 1), 1, "the account exists");
    let other = Database::connect(gateway.database_url()).await.unwrap();
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let lock = other.begin_with_options(options).await.unwrap();
    let backend = other.get_database_backend();
    if backend != DbBackend::Sqlite {
        let row = "SELECT id FROM account WHERE owner = 'uid:5' FOR UPDATE";
        let row = lock.query_one_raw(Statement::from_string(backend, row));
        assert!(row.await.unwrap().is_some());
    }
    let mut calls: FuturesUnordered<_> = (0..5)
        .map(|i| {
            let gateway = &gateway;
            let parameters = format!("uid=5&num=1&type=18&referenceId=r{i}");
            async move { gateway.call("app.yohocoin.get", &parameters).await }
        })
        .collect();
    for i in 0..3 {
        assert_eq!(calls.next().await, Some(busy()), "answer {i}");
    }
    lock.rollback().await.unwrap();
    let accepted = count_acknowledged(calls.collect().await, 2);
    assert!(accepted >= 1, "the first one is accepted");
    assert_eq!(gateway.audit().await.points, i128::from(1 + accepted));
}

/// The number of acknowledged postings of one coin to user 5. All others must have met a full queue, and each acknowledged one must
/// have answered a different balance, from `lowest` on.
fn count_acknowledged(answers: Vec<Answer>, lowest: i64) -> i64 {
    let mut currencies = Vec::new();
    for answer in answers {
        if answer == busy() {
            continue;
        }
        let data = answer.1.split("\"currency\":\"").nth(1).unwrap_or("");
        let currency: i64 = data.split('"').next().unwrap().parse().unwrap();
        let data = format!(r#"{{"currency":"{currency}","uid":5}}"#);
        assert_eq!(answer, sealed(200, &data, "ok"));
        currencies.push(currency);
    }
    currencies.sort_unstable();
    let acknowledged = i64::try_from(currencies.len()).unwrap();
    assert!(currencies.into_iter().eq(lowest..lowest + acknowledged));
    acknowledged
}
