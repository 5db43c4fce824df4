//! Recorded traffic: what clients really send, and what they must get, byte for byte.
//!
//! One folder a client, with its `gateway.toml` if it needs one; its files are played in the order of their names, on a fresh
//! gateway whose clock stands at 2016-05-18 10:00:00 in Shanghai. A file has three parts, between lines `--`:
//!
//! 1. what the exchange shows, after `#`; `at TIME` sets the clock; `NAME = FUNCTION ARGUMENTS` defines what `{NAME}` stands for in
//!    the rest of the file. [`KEYS`] are defined beforehand, so that no recorded secret stands in a file;
//! 2. the request as it was sent: its head, an empty line, its body. The head gets `Content-Length`, where there is a body, and
//!    `Connection: close`; its lines end as HTTP wants them;
//! 3. the answer: the HTTP status, a blank, and the body. `{md5}` stands for the digest over the answer's `data`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rsa::{Generate, PrivateKey};

use crate::openapi::client::{hmac_sha1, urlencode};
use crate::status::provider;
use crate::test_gateway::{SALT, TestGateway, md5};

/// The secrets with which clients sign here, in place of their own.
const KEYS: [(&str, &str); 5] = [
    ("android", "k-android"),
    ("iphone", "k-iphone"),
    ("ipad", "k-ipad"),
    ("partner", "secret one"),
    ("community", "testsecret"),
];

type Names = BTreeMap<String, String>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_gets_what_it_got() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/recorded");
    let mut wrong = Vec::new();
    let mut played = 0;
    for client in sorted(&folder).into_iter().filter(|path| path.is_dir()) {
        let key = PrivateKey::generate();
        let config = fs::read_to_string(client.join("gateway.toml")).unwrap_or_default();
        let config = config.replace("# the public key", &provider::setting(&key));
        let gateway = TestGateway::with_config(&config).await;
        gateway.set_time("2016-05-18 10:00:00");
        for file in sorted(&client) {
            if file.extension().is_some_and(|it| it == "http") {
                wrong.extend(play(&gateway, &key, &file).await);
                played += 1;
            }
        }
        gateway.audit().await;
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
    assert!(played > 0, "nothing is recorded");
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// Plays one file. Returns how its answer differs.
async fn play(gateway: &TestGateway, key: &PrivateKey, file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).unwrap();
    let parts: Vec<&str> = text.split("\n--\n").collect();
    let [directives, request, answer] = parts[..] else {
        panic!("{file:?} has {} parts", parts.len());
    };
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut names: Names = KEYS
        .iter()
        .map(|(name, key)| ((*name).to_owned(), (*key).to_owned()))
        .collect();
    names.insert(
        "body_signature".to_owned(),
        provider::signature(key, body.as_bytes()),
    );
    for line in directives.lines().filter(|line| !line.starts_with('#')) {
        match (line.strip_prefix("at "), line.split_once(" = ")) {
            (Some(time), _) => gateway.set_time(time),
            (None, Some((name, formula))) => {
                let value = evaluate(&filled(formula, &names));
                names.insert(name.to_owned(), value);
            }
            (None, None) => panic!("{file:?}: {line}"),
        }
    }
    let (head, body) = (filled(head, &names), filled(body, &names));
    let received = gateway.send_bytes(&raw(&head, &body)).await.unwrap();
    let expected = sealed(filled(answer.trim_end(), &names));
    let received = shown(&received);
    (received != expected)
        .then(|| format!("{}:\n  got  {received}\n  want {expected}", file.display()))
}

/// Replaces `{NAME}`.
fn filled(text: &str, names: &Names) -> String {
    let mut text = text.to_owned();
    for (name, value) in names {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// The value of `FUNCTION ARGUMENTS`.
fn evaluate(formula: &str) -> String {
    let (function, argument) = formula.split_once(' ').unwrap_or((formula, ""));
    match function {
        "md5" => md5(&argument.replace("\\n", "\n")),
        // The key stands before the first `|`.
        "hmac-sha1" => {
            let (key, text) = argument.split_once('|').unwrap();
            hmac_sha1(key, text)
        }
        "urlencode" => urlencode(argument),
        "urlencode-lower" => lower_escapes(&urlencode(argument)),
        // Python's quote leaves the slash alone.
        "quote" => urlencode(argument).replace("%2F", "/"),
        _ => panic!("no function {function}"),
    }
}

/// Writes percent escapes in lower case, as .NET does.
fn lower_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        lower += &format!("%{}{}", part[..2].to_lowercase(), &part[2..]);
    }
    lower
}

/// The bytes on the wire.
fn raw(head: &str, body: &str) -> Vec<u8> {
    let mut head = head.trim_end().replace('\n', "\r\n");
    if !body.is_empty() {
        head += &format!("\r\nContent-Length: {}", body.len());
    }
    head += "\r\nConnection: close\r\n\r\n";
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Replaces `{md5}` by the digest over the salt and `data`.
fn sealed(answer: String) -> String {
    let data = answer.split_once(r#""data":"#);
    let data = data.and_then(|(_, rest)| rest.split_once(r#","md5":"{md5}""#));
    match data {
        Some((data, _)) => answer.replace("{md5}", &md5(&format!("{SALT}:{data}"))),
        None => answer,
    }
}

/// The status and the body of an answer, without the interim answers before it.
fn shown(received: &str) -> String {
    let mut rest = received;
    while let Some(answer) = rest.strip_prefix("HTTP/1.1 100 ") {
        rest = answer.split_once("\r\n\r\n").unwrap().1;
    }
    let (head, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    format!("{status} {body}").trim_end().to_owned()
}
