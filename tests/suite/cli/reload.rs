//! A changed configuration is taken over while the program runs, and no connection is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::openapi::client::{ENVELOPE_SIGNER, PARTNERS, next_nonce};
use crate::program::{CONFIG, Client, Program, ProgramDir, sign_query, sign_query_with, text};

const TOTAL: [(&str, &str); 2] = [("method", "app.yohocoin.total"), ("uid", "5")];
const GET: [(&str, &str); 5] = [
    ("method", "app.yohocoin.get"),
    ("uid", "5"),
    ("num", "7"),
    ("type", "18"),
    ("referenceId", "r1"),
];

/// The configuration after a change of android's key, whose clients may only read by now.
fn changed() -> String {
    format!(
        "[server]
listen = '127.0.0.1:0'
[yoho]
salt = 'salt-of-the-suite'
debug = ''
[yoho.clients.android]
key = 'k-new'
previous_key = 'k-android'
allow = ['app.yohocoin.total']
{PARTNERS}"
    )
}

/// Runs `pointgate reload`, which must succeed, and returns its output.
fn reload(dir: &ProgramDir) -> String {
    let output = dir.run(&["reload"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Sends a GET over an open connection, and returns the answer's body.
async fn get(connection: &mut TcpStream, query: &str) -> String {
    let request = format!("GET /gateway?{query} HTTP/1.1\r\nHost: gateway\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    loop {
        let mut part = [0; 4096];
        let read = connection.read(&mut part).await.unwrap();
        assert!(read > 0, "the connection was closed: {answer}");
        answer.push_str(&text(&part[..read]));
        if let Some((_, body)) = answer.split_once("\r\n\r\n")
            && body.ends_with('}')
        {
            return body.to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_permissions_and_partners_change_on_an_open_connection() {
    let dir = ProgramDir::new();
    let program = Program::start(&dir, &[]).await;
    let client = program.client();
    let mut connection = TcpStream::connect(program.address).await.unwrap();
    let old = sign_query(&GET);
    assert!(get(&mut connection, &old).await.contains(r#""code":200"#));
    let new = sign_query_with(&TOTAL, "k-new");
    assert!(get(&mut connection, &new).await.contains("数据验证错误."));

    dir.write("gateway.toml", &changed());
    assert_eq!(reload(&dir), "reloaded\n");

    let forbidden = r#"{"code":506,"message":"无权调用此method"}"#;
    assert_eq!(get(&mut connection, &old).await, forbidden);
    for query in [new, sign_query(&TOTAL)] {
        let total = get(&mut connection, &query).await;
        assert!(total.contains(r#""total":7"#), "{total}");
    }
    let params = serde_json::json!({"balance": 1, "bizId": "b", "customerId": 5});
    let at = jiff::Timestamp::now().as_second();
    let envelope = ENVELOPE_SIGNER.envelope(at, &next_nonce(), "user.points-add", &params);
    let request = client.http.post(format!("{}/api/v2", client.base));
    let answer = Client::send(request.body(envelope.to_string())).await;
    assert_eq!(answer.unwrap().code(), 0);
    let metrics = client.http.get(format!("{}/metrics", client.base));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    for line in [
        r#"pointgate_key_uses_total{dialect="yoho",caller="android",key="current"} 1"#,
        // Once before the reload, as the current key, and twice after it.
        r#"pointgate_key_uses_total{dialect="yoho",caller="android",key="previous"} 3"#,
        r#"pointgate_key_uses_total{dialect="openapi",caller="p1",key="current"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_changes_nothing_and_says_why() {
    let dir = ProgramDir::new();
    let mut program = Program::start(&dir, &[]).await;
    let bad = changed().replace("salt =", "slat =") + "[osx]\nmax_ahead_seconds = 'hush'\n";
    dir.write("gateway.toml", &bad);
    let output = dir.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("slat: unknown key"));
    program.signal("HUP");
    let line = program
        .wait_for_log("SIGHUP: the configuration is unchanged: ")
        .await;
    for part in ["[yoho] slat: unknown key", "max_ahead_seconds: must be"] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains("hush"), "{line}");
    program.client().call_ok(&GET).await;

    // The whole of it can be read, but an endpoint refuses it.
    let unknown = changed().replace("app.yohocoin.total", "app.yohocoin.nothing");
    dir.write("gateway.toml", &unknown);
    let output = dir.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    let expected = "pointgate: the configuration is unchanged: yoho.clients: android may call app.yohocoin.nothing";
    assert!(error.contains(expected), "{error}");
    program.client().call_ok(&GET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_change_says_so_and_the_rest_changes() {
    let dir = ProgramDir::new();
    let mut program = Program::start(&dir, &[]).await;
    let more = "timezone = 'UTC'\n".to_owned()
        + &changed().replace("127.0.0.1:0", "127.0.0.1:1")
        + "[ledger]\nbatch = 7\n[amqp]\nurl = 'amqp://a:b@127.0.0.1:1/%2f'\nprefetch = 3\n";
    dir.write("gateway.toml", &more);
    let pending = [
        "timezone",
        "server.listen",
        "ledger",
        "amqp.url",
        "amqp.prefetch",
    ];
    let lines = pending.map(|name| format!("needs a restart: {name}\n"));
    assert_eq!(reload(&dir), format!("reloaded\n{}", lines.concat()));
    let logged = format!(
        "these settings differ and need a restart: {}",
        pending.join(", ")
    );
    program.wait_for_log(&logged).await;
    let answer = program.client().call(&GET).await.unwrap();
    assert_eq!(answer.code(), 506);
    // They are pending until the file has them as they were.
    dir.write("gateway.toml", CONFIG);
    assert_eq!(reload(&dir), "reloaded\n");
    program.client().call_ok(&GET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_keys_are_not_brought_to_other_machines() {
    let dir = ProgramDir::with_config(&CONFIG.replace("127.0.0.1:0", "0.0.0.0:0"));
    let program = Program::start(&dir, &[]).await;
    dir.write("gateway.toml", "");
    let output = dir.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("it holds sample secrets (yoho."), "{error}");
    assert!(error.contains("listens on 0.0.0.0:"), "{error}");
    program.signal("HUP");
    let sample = sign_query_with(&TOTAL, "sample-key-for-trying-out-android");
    let base = format!("http://127.0.0.1:{}", program.address.port());
    let client = Client {
        base,
        ..program.client()
    };
    let answer = client.get(&format!("/gateway?{sample}")).await.unwrap();
    assert_eq!(answer.code(), 500);
    client.call_ok(&GET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_see_one_configuration_and_none_fails() {
    let dir = ProgramDir::new();
    let program = Program::start(&dir, &[]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let callers = (0..4).map(|_| {
        let (client, stop) = (program.client(), stop.clone());
        tokio::spawn(async move {
            let mut calls = 0;
            while !stop.load(Ordering::Relaxed) || calls == 0 {
                client.call_ok(&TOTAL).await;
                calls += 1;
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    for round in 0..20 {
        let config = [CONFIG, &changed()][round % 2].to_owned();
        dir.write("gateway.toml", &config);
        assert_eq!(reload(&dir), "reloaded\n");
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_to_its_end_holds_up_nothing() {
    let dir = ProgramDir::new();
    let mut program = Program::start(&dir, &[]).await;
    // Reading waits for somebody who writes.
    let pipe = std::process::Command::new("mkfifo")
        .arg(dir.path("salt"))
        .status();
    assert!(pipe.unwrap().success());
    dir.write(
        "gateway.toml",
        &CONFIG.replace("salt = 'salt-of-the-suite'", "salt_file = 'salt'"),
    );
    program.signal("HUP");
    program.client().call_ok(&GET).await;
    program
        .wait_for_log("the configuration is unchanged: reading it took longer than")
        .await;
    program.client().call_ok(&GET).await;
    // A stop does not wait for another such file.
    program.signal("HUP");
    program.client().call_ok(&GET).await;
    assert_eq!(program.terminate().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_finds_only_a_running_server() {
    let dir = ProgramDir::new();
    let nobody = |dir: &ProgramDir| {
        let output = dir.run(&["reload"]);
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr);
        assert!(
            error.contains("no server runs with the pid_file"),
            "{error}"
        );
    };
    nobody(&dir);
    let mut program = Program::start(&dir, &[]).await;
    assert_eq!(reload(&dir), "reloaded\n");
    program.kill();
    // The file is still there, and another process may have got the number.
    nobody(&dir);
    program.restart().await;
    let mut second = Program::start(&dir, &[]).await;
    second.wait_for_log("another process holds it").await;
    assert_eq!(reload(&dir), "reloaded\n");
    program.wait_for_log("SIGHUP: reloaded").await;
    assert!(!second.log().contains("SIGHUP"), "{}", second.log());
    program.terminate().await;
    nobody(&dir);

    dir.write(
        "gateway.toml",
        &CONFIG.replace("[yoho]", "pid_file = ''\n[yoho]"),
    );
    let output = dir.run(&["reload"]);
    assert!(text(&output.stderr).contains("server.pid_file is not set"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_of_a_key_survives_a_restart() {
    let dir = ProgramDir::with_config(&changed());
    let mut program = Program::start(&dir, &[]).await;
    program
        .wait_for_log("yoho: the previous key of android was never used since 2")
        .await;
    program.client().call_ok(&TOTAL).await;
    assert!(program.terminate().await.success());
    let listed = text(&dir.run(&["keys"]).stdout);
    for line in [
        "openapi  p1  current  never used\n",
        "yoho  android  current  never used\n",
        "yoho  android  previous  last used 2",
    ] {
        assert!(listed.contains(line), "{listed}");
    }
    let mut again = Program::start(&dir, &[]).await;
    again
        .wait_for_log("yoho: the previous key of android was last used on 2")
        .await;
    // The key that is previous now gets another name, and is known as the same key.
    let renamed = changed().replace(
        "key = 'k-new'\nprevious_key = 'k-android'",
        "key = 'k-android'",
    );
    dir.write("gateway.toml", &renamed);
    assert_eq!(reload(&dir), "reloaded\n");
    let listed = text(&dir.run(&["keys"]).stdout);
    assert!(
        listed.contains("yoho  android  current  last used 2"),
        "{listed}"
    );
    assert!(!listed.contains("previous"), "{listed}");
}
