//! What README.md shows is what happens: its requests, its answers, its signing example.

use md5::{Digest, Md5};

use crate::openapi::client::{Partner, hmac_sha1, urlencode};
use crate::program::{Client, Place, Program};
use crate::test_gateway::TestGateway;

/// README.md's fenced blocks of a language, in their order.
fn blocks(language: &str) -> Vec<String> {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let mut blocks = Vec::new();
    for (i, part) in readme.split("```").enumerate() {
        if i % 2 == 1
            && let Some(text) = part.strip_prefix(&format!("{language}\n"))
        {
            blocks.push(text.trim_end().to_owned());
        }
    }
    blocks
}

/// The one block of a language that holds this.
fn block(language: &str, part: &str) -> String {
    let mut found: Vec<String> = blocks(language)
        .into_iter()
        .filter(|text| text.contains(part))
        .collect();
    assert_eq!(found.len(), 1, "{language} blocks with {part}");
    found.remove(0)
}

/// The first block of a language that begins like this.
pub(super) fn first_of(language: &str, begin: &str) -> String {
    let mut found = blocks(language)
        .into_iter()
        .filter(|text| text.starts_with(begin));
    found.next().unwrap()
}

/// The path and query of a curl line, and its body.
fn curl(line: &str) -> (String, Option<String>) {
    let quoted: Vec<&str> = line.split('\'').collect();
    let path = quoted[1].strip_prefix("http://127.0.0.1:8080").unwrap();
    let body = line.contains(" -d '").then(|| quoted[3].to_owned());
    (path.to_owned(), body)
}

async fn send(client: &Client, line: &str) -> String {
    let (path, body) = curl(line);
    let url = format!("{}{path}", client.base);
    let request = match body {
        None => client.http.get(url),
        // What curl calls a body that it is given no other name for.
        Some(body) => client
            .http
            .post(url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body),
    };
    Client::answer(request).await.unwrap().text
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A program with the settings that a new user has, but for the port.
async fn program() -> Program {
    Program::start(&Place::with("[server]\nlisten = \"127.0.0.1:0\"\n"), &[]).await
}

#[tokio::test]
async fn the_documented_requests_get_the_documented_answers() {
    let program = program().await;
    let client = program.client();
    let answers = blocks("json");
    assert_eq!(answers.len(), 5);
    assert_eq!(
        send(&client, &block("sh", "uid=50030141&debug=XYZ")).await,
        answers[0]
    );
    assert_eq!(
        send(&client, &block("sh", "app.yohocoin.get")).await,
        answers[1]
    );
}

#[tokio::test]
async fn the_signing_example_is_right_and_accepted() {
    let signed = block("text", "private_key=");
    let (path, _) = curl(&block("sh", "client_secret="));
    let (rest, secret) = path.split_once("&client_secret=").unwrap();
    assert_eq!(md5(&signed), secret);
    let mut pairs: Vec<&str> = rest.strip_prefix("/gateway?").unwrap().split('&').collect();
    pairs.push("private_key=sample-key-for-trying-out-android");
    pairs.sort_unstable();
    assert_eq!(pairs.join("&"), signed);

    let program = program().await;
    let answer = send(&program.client(), &block("sh", "client_secret=")).await;
    assert_eq!(answer, blocks("json")[0]);
}

#[test]
fn the_md5_example_is_right() {
    let sealed = block("text", "sample-salt-for-trying-out:");
    let answer = &blocks("json")[0];
    assert!(answer.contains(&format!(r#""md5":"{}""#, md5(&sealed))));
    assert!(answer.contains(sealed.split_once(':').unwrap().1));
}

/// The partner of the example.
const PARTNER: Partner = Partner {
    open_id: "6dc05b4ac175cf316d226252b05cf685",
    grant_code: "782c281f62",
    secret: "fake-secret-of-a-partner",
    full: false,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_partners_example_is_right_and_answered() {
    let toml = block("toml", "[[openapi.partners]]");
    for part in [PARTNER.open_id, PARTNER.grant_code, PARTNER.secret] {
        assert!(toml.contains(&format!("\"{part}\"")), "{part}");
    }
    let line = block("sh", "/api/v2");
    let (path, body) = curl(&line);
    assert_eq!(path, "/api/v2");
    let envelope: serde_json::Value = serde_json::from_str(body.as_ref().unwrap()).unwrap();
    let signed = first_of("text", "GrantCode=");
    let token = urlencode(&hmac_sha1(PARTNER.secret, &signed));
    assert_eq!(envelope["Token"], token);
    assert_eq!(PARTNER.token(&envelope), token, "by the rules");

    let gateway = TestGateway::with(&toml).await;
    gateway.at("2019-01-11 13:57:24");
    assert_eq!(gateway.seconds().to_string(), envelope["Timestamp"]);
    let earn = "uid=50030199&num=200&type=18&referenceId=123456789";
    gateway.call("app.yohocoin.get", earn).await;
    let answers = blocks("json");
    let now = gateway.partner(body.clone().unwrap()).await;
    assert_eq!(now.1, answers[2]);
    gateway.at("2019-01-11 14:57:24");
    assert_eq!(gateway.partner(body.unwrap()).await.1, answers[3]);

    // The same call, signed in full.
    let full = toml.replace("allow", "sign = \"full\"\nallow");
    let gateway = TestGateway::with(&full).await;
    gateway.at("2019-01-11 13:57:24");
    gateway.call("app.yohocoin.get", earn).await;
    let signed = block("text", "Action=user.");
    let mut envelope = envelope;
    envelope["Token"] = urlencode(&hmac_sha1(PARTNER.secret, &signed)).into();
    assert_eq!(gateway.partner(envelope.to_string()).await.1, answers[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_communitys_example_is_right_and_answered() {
    let toml = block("toml", "[osx]");
    let signed = block("text", "my-app-secret");
    let (path, _) = curl(&block("sh", "/userActionNotify"));
    assert!(path.ends_with(&format!("&sign={}", md5(&signed))), "{path}");
    let gateway = TestGateway::with(&toml).await;
    gateway.at("2018-03-09 09:44:18");
    assert_eq!(gateway.get_path(&path).await.1, blocks("json")[4]);
    gateway.at("2018-03-09 09:44:19");
    let expired = r#"{"code":200,"msg":"error","data":"请求超时"}"#;
    assert_eq!(gateway.get_path(&path).await.1, expired);
}
