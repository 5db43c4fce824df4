//! Raw bytes on a TCP connection: invalid HTTP gets an empty 400, valid HTTP an answer in the envelope, and the server goes on.

use crate::test_gateway::{Answer, TestGateway, fault, sealed, signed_query};

fn total() -> Answer {
    let data = r#"{"code":"20111130-152530","total":0}"#;
    sealed(200, data, "yoho coin total")
}

async fn still_works(gateway: &TestGateway, after: &str) {
    let answered = gateway.call("app.yohocoin.total", "uid=5").await;
    assert_eq!(answered, total(), "after {after}");
}

/// Sends the bytes and returns status and body; the server must close the connection.
async fn answer(gateway: &TestGateway, request: &[u8]) -> Answer {
    let text = gateway.send_bytes(request).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.strip_prefix("HTTP/1.1 ").unwrap();
    (status[..3].parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_http_gets_an_empty_400() {
    let gateway = TestGateway::start().await;
    let heads: [&[u8]; 15] = [
        b"GET /gateway?a=\xff HTTP/1.1",
        b"GET /gateway?a=\xe4\xb8\xad HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET /gateway?a=\0 HTTP/1.1",
        b"GET /gateway?a=\x01 HTTP/1.1",
        b"GET /gateway?a=\"<> HTTP/1.1",
        b"GET /gateway?a=1 2 HTTP/1.1",
        b"GET /gateway?a=1 HTTP/9.9",
        b"GET /gateway?a=1 HTTP/1.1\r\nContent-Length: -1",
        b"GET /gateway?a=1 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        b"GET /gateway?a=1 HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"GET /gateway?a=1 HTTP/1.1\r\nTransfer-Encoding: gzip",
        b"\xff\xfe\xfd /gateway HTTP/1.1",
        b"nonsense",
        b"GET http://[/gateway HTTP/1.1",
    ];
    for head in heads {
        let name = String::from_utf8_lossy(head);
        let request = [head, b"\r\nHost: x\r\nConnection: close\r\n\r\n"].concat();
        assert_eq!(
            answer(&gateway, &request).await,
            (400, String::new()),
            "{name}"
        );
        still_works(&gateway, &name).await;
    }
}

/// Each row: a name, the request line without its version, whatever follows the last header of the test, and the answer.
async fn answers(rows: Vec<(&str, String, &str, Answer)>) {
    let gateway = TestGateway::start().await;
    for (name, line, rest, expected) in rows {
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{rest}");
        let answered = answer(&gateway, request.as_bytes()).await;
        assert_eq!(answered, expected, "{name}: {line}");
        still_works(&gateway, name).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unusual_request_lines_are_answered() {
    let signed = signed_query("app.yohocoin.total");
    let unsigned = || fault(500, "缺少client_secret");
    let no_user = || sealed(404, "{}", "uid为空！");
    let end = "\r\n";
    let long = "q".repeat(60_000);
    answers(vec![
        ("brackets", "GET /gateway?a=^`{|}\\".into(), end, unsigned()),
        (
            "60,000 bytes",
            format!("GET /gateway?{long}"),
            end,
            unsigned(),
        ),
        ("only a ?", "GET /gateway?".into(), end, unsigned()),
        (
            "a fragment",
            format!("GET /gateway?{signed}#&uid=5"),
            end,
            no_user(),
        ),
        (
            "a whole URL",
            format!("GET http://x/gateway?{signed}"),
            end,
            no_user(),
        ),
        (
            "another path",
            format!("GET /gateways?{signed}"),
            end,
            (404, r#"{"code":404,"message":"路径不存在"}"#.to_owned()),
        ),
        (
            "another verb",
            format!("PUT /gateway?{signed}"),
            end,
            (
                405,
                r#"{"code":405,"message":"不支持的请求方法"}"#.to_owned(),
            ),
        ),
    ])
    .await;
}

/// A chunked body is read as a whole, and a broken one is answered in the envelope.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunked_bodies_are_read() {
    let line = || format!("POST /gateway?{}", signed_query("app.yohocoin.total"));
    let broken = (400, r#"{"code":500,"message":"参数格式不对"}"#.to_owned());
    let no_user = sealed(404, "{}", "uid为空！");
    let whole = "Content-Length: 9\r\n\r\n{\"uid\":5}";
    let chunks = "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"ui\r\n5\r\nd\":5}\r\n0\r\n\r\n";
    let none = "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let bad = "Transfer-Encoding: chunked\r\n\r\nzz\r\n{\"ui\r\n0\r\n\r\n";
    answers(vec![
        ("whole", line(), whole, total()),
        ("chunks", line(), chunks, total()),
        ("no chunks", line(), none, no_user),
        ("a bad chunk", line(), bad, broken),
    ])
    .await;
}

/// The server closes a connection whose header block does not end, and no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_of_two_megabytes_is_refused() {
    let gateway = TestGateway::start().await;
    let head = format!("GET /gateway?a={}", "q".repeat(2_000_000));
    if let Ok(answer) = gateway.send_bytes(head.as_bytes()).await {
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    still_works(&gateway, "two megabytes").await;
}
