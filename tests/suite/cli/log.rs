//! The access log has one line per request, and no text that a client sent.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::program::{Answer, CONFIG, Client, KEY, Program, ProgramDir, SALT, sign_query};

/// A marker in every value of the requests.
const PRIVATE: &str = "pv7";
const UID: &str = "5003017770177";

/// The fields of an access-log line.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    method: String,
    code: i64,
    id: String,
}

#[tokio::test]
async fn each_request_has_one_access_log_line() {
    let mut program = Program::new().await;
    let client = program.client();
    let mut expected = Vec::new();
    let mut note = |method: &str, code: i64, answer: Answer| {
        assert_eq!(answer.code(), code, "{}", answer.text);
        assert!(!answer.id.is_empty());
        expected.push(Line {
            method: method.to_owned(),
            code,
            id: answer.id,
        });
    };
    let total = [("method", "app.yohocoin.total"), ("uid", UID)];
    note("app.yohocoin.total", 200, call(&client, &total).await);
    note("app.yohocoin.total", 200, call(&client, &total).await);
    let without_uid = [("method", "app.yohocoin.total")];
    note("app.yohocoin.total", 404, call(&client, &without_uid).await);
    let second_name = [
        ("method", "app.yohocoin.add"),
        ("uid", UID),
        ("num", "5"),
        ("type", "18"),
        ("referenceId", "r"),
    ];
    note("app.yohocoin.get", 200, call(&client, &second_name).await);
    note("-", 501, call(&client, &[]).await);
    note("-", 501, call(&client, &[("method", "no.such")]).await);
    note("-", 500, client.get("/gateway").await.unwrap());
    client
        .http
        .get(format!("{}/healthz", client.base))
        .send()
        .await
        .unwrap();

    program.wait_for_log(&expected.last().unwrap().id).await;
    assert!(program.terminate().await.success());
    let log = program.log();
    let access = log
        .lines()
        .filter(|line| line.contains("pointgate::access"));
    assert_eq!(access.map(read).collect::<Vec<_>>(), expected, "{log}");
    let mut ids: Vec<&str> = expected.iter().map(|line| line.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), expected.len(), "an id names one request");
}

/// Parses `… pointgate::access] method=NAME code=N ms=N.N id=ID`, and nothing else.
#[track_caller]
fn read(line: &str) -> Line {
    let (_, fields) = line.split_once("pointgate::access] ").unwrap();
    let pairs: Vec<(&str, &str)> = fields
        .split(' ')
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let [("method", method), ("code", code), ("ms", ms), ("id", id)] = pairs[..] else {
        panic!("{line}");
    };
    assert!(ms.parse::<f64>().unwrap() >= 0.0, "{line}");
    Line {
        method: method.to_owned(),
        code: code.parse().unwrap(),
        id: id.to_owned(),
    }
}

/// A request that moved nothing because it repeats an earlier one has a line that says so, with its id.
#[tokio::test]
async fn a_repeat_is_logged() {
    let mut program = Program::new().await;
    let client = program.client();
    let credit = [
        ("method", "app.yohocoin.get"),
        ("uid", UID),
        ("num", "5"),
        ("type", "18"),
        ("referenceId", "r"),
    ];
    let first = call(&client, &credit).await;
    let again = call(&client, &credit).await;
    assert_eq!(first.text, again.text);
    program.wait_for_log(&again.id).await;
    assert!(program.terminate().await.success());
    let log = program.log();
    let repeats: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("repeats an earlier request"))
        .collect();
    let [line] = repeats[..] else {
        panic!("{log}");
    };
    assert!(line.contains("app.yohocoin.get"), "{line}");
    assert!(line.contains(&again.id), "{line}");
}

#[tokio::test]
async fn nothing_private_is_logged() {
    // With QA's `debug` on, as on a test system.
    let dir = ProgramDir::with_config(&CONFIG.replace("debug = ''", "debug = 'debug-of-qa'"));
    let mut program = Program::start(&dir, &[("RUST_LOG", "pointgate=trace,warn")]).await;
    let client = program.client();
    let mut answers = good_requests(&client).await;
    answers.extend(bad_requests(&client).await);
    for (i, answer) in answers.iter().enumerate() {
        program.wait_for_log(&answer.id).await;
        assert!(!answer.text.contains("panic"), "request {i}");
    }
    broken_requests(&program).await;
    assert!(program.terminate().await.success());
    let log = program.log();
    assert!(log.lines().filter(|line| line.contains("code=")).count() >= answers.len());
    for private in [
        PRIVATE,
        UID,
        KEY,
        SALT,
        "7017701",
        "debug-of-qa",
        "evil",
        "中文",
    ] {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(private)).collect();
        assert!(lines.is_empty(), "{private} is logged: {lines:#?}");
    }
    // A signature or the digest of a secret.
    let is_digest = |word: &str| word.len() >= 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut words = log.split(|c: char| !c.is_alphanumeric());
    assert_eq!(words.find(|word| is_digest(word)), None);
    for answer in &answers {
        assert!(!log.contains(answer.text.trim()), "an answer is logged");
    }
}

async fn good_requests(client: &Client) -> Vec<Answer> {
    let write = [
        ("method", "app.yohocoin.get"),
        ("uid", UID),
        ("num", "7017701"),
        ("type", "18"),
        ("referenceId", "pv7-reference"),
        ("message", "pv7 中文"),
    ];
    let over = [
        &write[..2],
        &[
            ("num", "5"),
            ("type", "18"),
            ("referenceId", "pv7-reference"),
        ],
    ]
    .concat();
    let spend = [
        ("method", "app.yohocoin.subtract"),
        ("uid", UID),
        ("num", "-999999999"),
        ("type", "19"),
        ("orderCode", "pv7-order"),
    ];
    let mut answers = Vec::new();
    for parameters in [&write[..], &write, &over, &spend] {
        answers.push(call(client, parameters).await);
    }
    let codes: Vec<i64> = answers.iter().map(Answer::code).collect();
    assert_eq!(codes, [200, 200, 410, 407]);
    answers
}

async fn bad_requests(client: &Client) -> Vec<Answer> {
    let long = format!("{PRIVATE}{}", "x".repeat(300));
    let mut paths = vec![
        "/gateway?method=evil%0Ainjected%20pv7&debug=debug-of-qa".to_owned(),
        "/gateway?method=evil%0D%0A[2026-01-01T00:00:00Z%20ERROR%20pointgate]%20pv7&debug=debug-of-qa".to_owned(),
        format!("/gateway?method=app.yohocoin.total&uid={UID}&client_type=pv7&client_secret=pv7"),
        format!("/gateway?method=app.yohocoin.total&uid={UID}&client_type=android&client_secret=pv7"),
        format!("/gateway?uid={UID}&method=app.yohocoin.total&debug=pv7"),
        format!("/gateway?{}", sign_query(&[("method", "pv7-no-such\n\tmethod")])),
        format!("/gateway?{}", sign_query(&[("method", "app.yohocoin.total"), ("os_version", &long)])),
        format!("/gateway?{}", sign_query(&[("method", "app.yohocoin.total"), ("uid", "pv7")])),
        "/gateway?pv7=%FF%0Apv7".to_owned(),
    ];
    paths.push(format!(
        "/gateway?{}&X-Forwarded-For=pv7",
        sign_query(&[("method", "pv7")])
    ));
    let mut answers = Vec::new();
    for path in &paths {
        answers.push(client.get(path).await.unwrap());
    }
    let signed = format!(
        "{}/gateway?{}",
        client.base,
        sign_query(&[("method", "app.yohocoin.get")])
    );
    for (kind, body) in [
        (
            "application/json",
            "{\"uid\":\"pv7\",\"message\":pv7\n}".to_owned(),
        ),
        (
            "application/json",
            format!("{{\"uid\":{UID},\"num\":\"pv7\"}}"),
        ),
        ("application/json", "[\"pv7\"]".to_owned()),
        ("pv7/\u{e9}pv7", "pv7".to_owned()),
        ("application/json", "pv7".repeat(400_000)),
    ] {
        let request = client.http.post(&signed).header("Content-Type", kind);
        let request = request.header("User-Agent", PRIVATE).body(body);
        answers.push(Client::send(request).await.unwrap());
    }
    answers
}

/// Sends invalid HTTP, and requests for which there is no route.
async fn broken_requests(program: &Program) {
    for bytes in [
        &b"GET /gateway?uid=pv7 pv7 HTTP/1.1\r\n\r\n"[..],
        b"pv7\r\npv7: pv7\r\n\r\n",
        b"GET /pv7?uid=pv7 HTTP/1.1\r\nHost: pv7\r\nConnection: close\r\n\r\n",
        b"PUT /gateway?uid=pv7 HTTP/1.1\r\nHost: pv7\r\nConnection: close\r\n\r\n",
        b"POST /gateway HTTP/1.1\r\nHost: pv7\r\nContent-Length: pv7\r\n\r\npv7",
        b"POST /gateway HTTP/1.1\r\nHost: pv7\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\npv7\r\n",
    ] {
        let mut connection = TcpStream::connect(program.address).await.unwrap();
        connection.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // An answer and a closed connection are both fine here.
        let _ = connection.read_to_end(&mut answer).await;
    }
}

async fn call(client: &Client, parameters: &[(&str, &str)]) -> Answer {
    client.call(parameters).await.unwrap()
}
