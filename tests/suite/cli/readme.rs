//! What README.md shows is what happens: its requests, its answers, its signing example.

use md5::{Digest, Md5};

use crate::program::{Client, Place, Program};

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
    assert_eq!(answers.len(), 2);
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
