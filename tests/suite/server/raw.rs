//! Raw bytes on a TCP connection: everything gets an answer in an envelope, also what is no HTTP, and the server goes on.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::program::Program;
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

/// The envelope of a request that is no HTTP: of its path if that is known, otherwise the general one, which looks the same.
fn refused(status: u16, message: &str) -> Answer {
    let body = format!(r#"{{"code":{status},"message":"{message}"}}"#);
    (status, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_http_is_refused_in_an_envelope() {
    let gateway = TestGateway::start().await;
    let heads: [&[u8]; 18] = [
        b"GET /gateway?a=\0 HTTP/1.1",
        b"GET /gateway?a=\x01 HTTP/1.1",
        b"GET /gateway?a=\x7f HTTP/1.1",
        b"GET /gateway?a=1 2 HTTP/1.1",
        b"GET /gateway?a=1 HTTP/9.9",
        b"GET  /gateway?a=1 HTTP/1.1",
        b"GET /gateway?a=1 HTTP/1.1\r\nContent-Length: -1",
        b"GET /gateway?a=1 HTTP/1.1\r\nContent-Length: +1",
        b"GET /gateway?a=1 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        b"GET /gateway?a=1 HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"GET /gateway?a=1 HTTP/1.1\r\nTransfer-Encoding: gzip",
        b"GET /gateway?a=1 HTTP/1.1\r\nHost: y",
        b"GET /gateway?a=1 HTTP/1.1\r\nno header",
        b"GET /gateway?a=1 HTTP/1.1\r\n folded: 1",
        b"\xff\xfe\xfd /gateway HTTP/1.1",
        b"nonsense",
        b"GET http://[/gateway HTTP/1.1",
        b"POINTGATE-REFUSED /gateway HTTP/1.1",
    ];
    let malformed = || refused(400, "请求格式不对");
    for head in heads {
        let name = String::from_utf8_lossy(head);
        let request = [head, b"\r\nHost: x\r\nConnection: close\r\n\r\n"].concat();
        assert_eq!(answer(&gateway, &request).await, malformed(), "{name}");
        still_works(&gateway, &name).await;
    }
    // The start of TLS, and of HTTP/2.
    for start in [
        &b"\x16\x03\x01\x02\0\x01"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        assert_eq!(answer(&gateway, start).await, malformed(), "{start:?}");
    }
    // Without a Host, which HTTP/1.1 requires.
    let request = b"GET /gateway HTTP/1.1\r\n\r\n";
    assert_eq!(answer(&gateway, request).await, malformed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_in_the_envelope_of_its_path() {
    let gateway = TestGateway::start().await;
    let text = "请求格式不对";
    for (path, body) in [
        ("/gateway", format!(r#"{{"code":400,"message":"{text}"}}"#)),
        (
            "//api/v2",
            format!(r#"{{"status":false,"code":100002,"message":"{text}"}}"#),
        ),
        (
            "/userActionNotify/",
            format!(r#"{{"code":400,"msg":"error","data":"{text}"}}"#),
        ),
        ("/healthz", format!(r#"{{"code":400,"message":"{text}"}}"#)),
        ("/nowhere", format!(r#"{{"code":400,"message":"{text}"}}"#)),
    ] {
        let request = format!("POST {path}?a=\u{1} HTTP/1.1\r\nHost: x\r\n\r\n");
        let text = gateway.send_bytes(request.as_bytes()).await.unwrap();
        let (head, answered) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(answered, body, "{path}");
        for header in [
            "cache-control: no-store",
            "connection: close",
            "x-request-id: ",
        ] {
            assert!(head.contains(header), "{path}: {head}");
        }
        assert!(
            head.contains("content-type: application/json;charset=UTF-8"),
            "{head}"
        );
    }
}

/// What was sent before the refused request is answered, and what follows it is not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_ends_the_connection_in_its_turn() {
    let gateway = TestGateway::start().await;
    let good = format!(
        "GET /gateway?{}&uid=5 HTTP/1.1\r\nHost: x\r\n\r\n",
        signed_query("app.yohocoin.total")
    );
    let requests = format!("{good}GET /gateway?\u{1} HTTP/1.1\r\nHost: x\r\n\r\n{good}");
    let text = gateway.send_bytes(requests.as_bytes()).await.unwrap();
    let statuses: Vec<_> = text.matches("HTTP/1.1 ").collect();
    assert_eq!(statuses.len(), 2, "{text}");
    let (first, second) = text.split_once("HTTP/1.1 400 ").unwrap();
    assert!(first.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(second.ends_with(&refused(400, "请求格式不对").1), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_have_bounds() {
    let gateway = TestGateway::start().await;
    let headers = |count: usize| {
        let headers: String = (0..count).map(|i| format!("x-{i}: 1\r\n")).collect();
        format!("GET /gateway HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
    };
    let url = |size: usize| {
        let url = "/gateway?a=".to_owned() + &"q".repeat(size - 11);
        format!("GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    };
    let too_large = || refused(431, "请求头过大");
    let too_long = || refused(414, "请求地址过长");
    let unsigned = (
        200,
        r#"{"code":500,"message":"缺少client_secret"}"#.to_owned(),
    );
    let name = "n".repeat(70_000);
    for (name, request, expected) in [
        ("65,534 bytes", url(65_534), unsigned),
        ("65,535 bytes", url(65_535), too_long()),
        (
            "95 headers and Host",
            headers(95).replace("x-1: 1", "connection: close"),
            (
                200,
                r#"{"code":500,"message":"缺少client_secret"}"#.to_owned(),
            ),
        ),
        ("96 headers and Host", headers(96), too_large()),
        (
            "a long name",
            format!("GET /gateway HTTP/1.1\r\nHost: x\r\n{name}: 1\r\n\r\n"),
            too_large(),
        ),
        (
            "a long value",
            format!(
                "GET /gateway HTTP/1.1\r\nHost: x\r\nx: {}\r\n\r\n",
                "v".repeat(140_000)
            ),
            too_large(),
        ),
        (
            "two megabytes",
            format!("GET /gateway?a={}", "q".repeat(2_000_000)),
            too_long(),
        ),
        (
            "raw characters that grow",
            format!(
                "GET /gateway?a={} HTTP/1.1\r\nHost: x\r\n\r\n",
                "签".repeat(10_000)
            ),
            too_long(),
        ),
    ] {
        assert_eq!(
            answer(&gateway, request.as_bytes()).await,
            expected,
            "{name}"
        );
        still_works(&gateway, name).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_logged_and_counted_without_the_request() {
    let mut program = Program::new().await;
    for (request, code) in [
        (
            "GET /gateway?uid=13800000000\u{1} HTTP/1.1\r\n\r\n".to_owned(),
            400,
        ),
        (format!("GET /gateway?{}", "q".repeat(200_000)), 414),
    ] {
        let mut stream = TcpStream::connect(program.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        let line = program
            .wait_for_log(&format!("method=- code={code} "))
            .await;
        assert!(line.contains(" id="), "{line}");
        let metrics = program
            .client()
            .http
            .get(format!("http://{}/metrics", program.address));
        let metrics = metrics.send().await.unwrap().text().await.unwrap();
        let counted =
            format!(r#"pointgate_requests_total{{dialect="yoho",method="-",code="{code}"}} 1"#);
        assert!(metrics.contains(&counted) || code == 414, "{metrics}");
    }
    assert!(
        !program.log().contains("13800000000"),
        "a number of a telephone"
    );
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

/// Java's client offers HTTP/2 with its first request, and keeps a connection that is not announced to close.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_to_upgrade_is_answered_and_the_connection_closed() {
    let gateway = TestGateway::start().await;
    let offer = "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA";
    let query = signed_query("app.yohocoin.total");
    let json = r#"{"uid":5}"#;
    for (request, body) in [
        (
            format!("POST /gateway?{query} HTTP/1.1\r\n{offer}\r\nContent-Length: 9\r\n\r\n{json}"),
            total().1,
        ),
        (
            format!("GET /healthz HTTP/1.1\r\n{offer}\r\n\r\n"),
            "ok\n".to_owned(),
        ),
    ] {
        let text = gateway.send_bytes(request.as_bytes()).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(text.contains("\r\nconnection: close\r\n"), "{text}");
        assert!(text.ends_with(&body), "{text}");
    }
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
