//! A client of the YOHO dialect that signs its calls.

use md5::{Digest, Md5};
use serde_json::Value;

/// The private key of `client_type=android`.
pub const KEY: &str = "k-android";

/// A client of a running program, with `client_type=android`.
#[derive(Clone)]
pub struct Client {
    /// The HTTP client, for requests of other dialects.
    pub http: reqwest::Client,
    /// `http://HOST:PORT`.
    pub base: String,
}

/// An answer in JSON.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `X-Request-Id`, empty if absent.
    pub id: String,
    /// The body as text.
    pub text: String,
    /// The body, parsed.
    pub json: Value,
}

impl Answer {
    /// The field `code` of the envelope.
    pub fn code(&self) -> i64 {
        self.json["code"].as_i64().unwrap()
    }
}

impl Client {
    /// Calls a method by a signed GET.
    pub async fn call(&self, parameters: &[(&str, &str)]) -> reqwest::Result<Answer> {
        self.get(&format!("/gateway?{}", sign_query(parameters)))
            .await
    }

    /// Calls a method, which must answer code 200, and returns its data.
    pub async fn call_ok(&self, parameters: &[(&str, &str)]) -> Value {
        let answer = self.call(parameters).await.unwrap();
        assert_eq!(answer.code(), 200, "{parameters:?}: {}", answer.text);
        answer.json["data"].clone()
    }

    /// GET of a path and query.
    pub async fn get(&self, path: &str) -> reqwest::Result<Answer> {
        Client::send(self.http.get(format!("{}{path}", self.base))).await
    }

    /// Sends any request; panics unless the answer is JSON.
    pub async fn send(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let id = response.headers().get("x-request-id");
        let id = id.map_or(String::new(), |id| id.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer {
            status,
            id,
            json: serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}")),
            text,
        })
    }

    /// A user's balance of coins.
    pub async fn total(&self, uid: &str) -> i64 {
        let parameters = [("method", "app.yohocoin.total"), ("uid", uid)];
        self.call_ok(&parameters).await["total"].as_i64().unwrap()
    }
}

/// Encodes a query and signs it with `client_type` and `client_secret`.
pub fn sign_query(parameters: &[(&str, &str)]) -> String {
    sign_query_with(parameters, KEY)
}

/// Encodes a query and signs it with this key of `client_type=android`.
pub fn sign_query_with(parameters: &[(&str, &str)], key: &str) -> String {
    let mut pairs = parameters.to_vec();
    pairs.push(("client_type", "android"));
    let mut lines = pairs.clone();
    lines.push(("private_key", key));
    lines.sort_unstable();
    let lines: Vec<String> = lines.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let digest = Md5::digest(lines.join("&").as_bytes());
    let secret: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.push(("client_secret", &secret));
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(n, v)| format!("{n}={}", escaped(v)))
        .collect();
    pairs.join("&")
}

fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let one = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    value.bytes().map(one).collect()
}
