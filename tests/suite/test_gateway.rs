//! A gateway in this process for one test, with a fresh ledger, a clock that the test sets, and a client that signs its calls.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::database::Fresh;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, offset};
use md5::{Digest, Md5};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pointgate::clock::Clock;
use pointgate::config::Config;
use pointgate::ledger::Ledger;
use pointgate::ledger::upkeep::audit::Report;
use pointgate::server::{RunningServer, start};
use reqwest::{Client, RequestBuilder};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The salt that seals the answers.
pub const SALT: &str = "fake-salt";
/// The private key of `client_type=android`, which signs the calls.
pub const ANDROID_KEY: &str = "k-android";

/// A timeout for slow disks, any free port, and own values for all secrets, since sample secrets would be reported.
const SETTINGS: [(&str, &str); 8] = [
    // A test sets the clock as it likes.
    ("POINTGATE__LEDGER__MAX_CLOCK_GAP_HOURS", "100000000"),
    ("POINTGATE__SERVER__REQUEST_TIMEOUT_SECONDS", "300"),
    ("POINTGATE__SERVER__LISTEN", "127.0.0.1:0"),
    ("POINTGATE__SERVER__WORKERS", "2"),
    ("POINTGATE__YOHO__SALT", SALT),
    ("POINTGATE__YOHO__CLIENT_KEYS__IPHONE", "k-iphone"),
    ("POINTGATE__YOHO__CLIENT_KEYS__ANDROID", ANDROID_KEY),
    ("POINTGATE__YOHO__CLIENT_KEYS__IPAD", "k-ipad"),
];

/// The HTTP status and the body.
pub type Answer = (u16, String);

/// A running gateway; dropping it stops it.
pub struct TestGateway {
    server: Option<RunningServer>,
    config: Config,
    client: Client,
    now: Arc<AtomicI64>,
    folder: TempDir,
    database: Option<Fresh>,
}

impl TestGateway {
    /// Starts a gateway with the default settings; the clock stands at 2026-05-20 11:30:32 in Shanghai.
    pub async fn start() -> TestGateway {
        TestGateway::with_config("").await
    }

    /// Starts a gateway with this `gateway.toml`. `SETTINGS` override it.
    pub async fn with_config(toml: &str) -> TestGateway {
        TestGateway::build(&SETTINGS, toml).await
    }

    /// Starts a gateway with the secrets of this `gateway.toml` or, where it has none, the sample secrets of the documentation.
    pub async fn with_samples(toml: &str) -> TestGateway {
        TestGateway::build(&SETTINGS[..4], toml).await
    }

    async fn build(settings: &[(&str, &str)], toml: &str) -> TestGateway {
        let folder = tempfile::tempdir().unwrap();
        let env = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let database = Fresh::new();
        let url = database
            .iter()
            .map(|fresh| ("POINTGATE__DATABASE__URL".to_owned(), fresh.url()));
        // With keys of its own, a gateway has no word for `debug` unless it names one.
        let word = (!toml.contains("debug =")).then_some(("POINTGATE__YOHO__DEBUG", "XYZ"));
        let word = word.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let env: Vec<_> = env.chain(url).chain(word).collect();
        let config = match Config::parse(toml, &folder.path().join("gateway.toml"), &env) {
            Ok(config) => config,
            Err(errors) => panic!("{errors}"),
        };
        let own = settings.len() < SETTINGS.len() || config.samples.is_empty();
        assert!(own, "{:?}", config.samples);
        let now = Arc::new(AtomicI64::new(0));
        let gateway = TestGateway {
            server: Some(start(&config, clock(&now)).await.unwrap()),
            config,
            client: client(),
            now,
            folder,
            database,
        };
        gateway.set_time("2026-05-20 11:30:32");
        gateway
    }

    /// Stops the gateway and starts it again on the same database.
    pub async fn restart(&mut self) {
        self.client = client();
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        self.server = Some(start(&self.config, clock(&self.now)).await.unwrap());
    }

    /// Sets the clock to a Unix time (ms).
    pub fn set_now(&self, at: i64) {
        self.now.store(at, Ordering::SeqCst);
    }

    /// Sets the clock to a local time in Shanghai: `2026-05-20 11:30:32`.
    pub fn set_time(&self, local: &str) {
        let time: DateTime = local.parse().unwrap();
        // Shanghai has had no daylight saving time since 1991.
        let zone = TimeZone::fixed(offset(8));
        let at = time.to_zoned(zone).unwrap().timestamp().as_millisecond();
        self.now.store(at, Ordering::SeqCst);
    }

    /// The clock's time, in milliseconds since the epoch.
    pub fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// The ledger of this gateway, for what no request can do.
    pub fn ledger(&self) -> &Ledger {
        &self.server().ledger
    }

    /// Audits the whole ledger, which must pass.
    pub async fn audit(&self) -> Report {
        self.ledger().audit(|_, _| {}).await.unwrap()
    }

    /// The URL of the gateway's database, for a second connection.
    pub fn database_url(&self) -> String {
        if let Some(fresh) = &self.database {
            return fresh.url();
        }
        let file = self.folder.path().join("data").join("pointgate.db");
        format!("sqlite://{}", file.display())
    }

    /// The URL of a path and query: `/gateway?a=1`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server().address)
    }

    /// Calls a method by a signed GET; the parameters are given unencoded: `uid=5&num=1`.
    pub async fn call(&self, method: &str, parameters: &str) -> Answer {
        let mut all = vec![("method", method), ("client_type", "android")];
        all.extend(pairs(parameters));
        let query = form(&all);
        let secret = client_secret(&all, ANDROID_KEY);
        self.get(&format!("{query}&client_secret={secret}")).await
    }

    /// Calls a method by a signed POST with a form.
    pub async fn post_form(&self, method: &str, parameters: &str) -> Answer {
        let fields = pairs(parameters);
        let mut all = vec![("method", method), ("client_type", "android")];
        let query = form(&all);
        all.extend(&fields);
        let secret = client_secret(&all, ANDROID_KEY);
        let query = format!("{query}&client_secret={secret}");
        let kind = Some("application/x-www-form-urlencoded");
        self.post(&query, kind, form(&fields)).await
    }

    /// Calls a method by a signed POST with a JSON body.
    pub async fn post_json(&self, method: &str, json: impl Into<reqwest::Body>) -> Answer {
        let query = signed_query(method);
        self.post(&query, Some("application/json"), json).await
    }

    /// Calls a method by GET with `debug=XYZ` instead of a signature.
    pub async fn call_with_debug(&self, method: &str, parameters: &str) -> Answer {
        let parameters = form(&pairs(parameters));
        self.get(&format!("method={method}&debug=XYZ&{parameters}"))
            .await
    }

    /// GET with the query as given.
    pub async fn get(&self, query: &str) -> Answer {
        self.get_with(query, &[]).await
    }

    /// GET with the query as given and extra headers.
    pub async fn get_with(&self, query: &str, headers: &[(&str, &str)]) -> Answer {
        self.get_path_with(&format!("/gateway?{query}"), headers)
            .await
    }

    /// GET of the path and query as given, with extra headers.
    pub async fn get_path_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request).await
    }

    /// POST with the query and the body as given.
    pub async fn post(
        &self,
        query: &str,
        content_type: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self.client.post(self.url(&format!("/gateway?{query}")));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        send(request.body(body)).await
    }

    /// GET of the path and query as given.
    pub async fn get_path(&self, path: &str) -> Answer {
        send(self.client.get(self.url(path))).await
    }

    /// POST to `/api/v2` with the body as given.
    pub async fn post_envelope(&self, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.client.post(self.url("/api/v2"));
        send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await
    }

    /// GET of the path and query as given; returns the whole response, with its headers.
    pub async fn get_response(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// Writes the bytes to a new TCP connection and reads until the server closes it.
    pub async fn send_bytes(&self, bytes: &[u8]) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.server().address).await?;
        stream.write_all(bytes).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    fn server(&self) -> &RunningServer {
        self.server.as_ref().expect("it runs until it is dropped")
    }
}

/// The clock whose time is `now`.
fn clock(now: &Arc<AtomicI64>) -> Clock {
    let now = now.clone();
    Clock::new(move || now.load(Ordering::SeqCst))
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        // Replacing the client closes its idle connections, for which the server would wait.
        self.client = client();
        if let Some(server) = self.server.take() {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(server.stop());
            });
        }
    }
}

/// The envelope with `alg`, `data` and `md5`, which successes have and some faults.
pub fn sealed(code: i64, data: &str, message: &str) -> Answer {
    let md5 = md5(&format!("{SALT}:{data}"));
    let body = format!(
        r#"{{"alg":"SALT_MD5","code":{code},"data":{data},"md5":"{md5}","message":"{message}"}}"#
    );
    (200, body)
}

/// The envelope of a fault without data.
pub fn fault(code: i64, message: &str) -> Answer {
    (200, format!(r#"{{"code":{code},"message":"{message}"}}"#))
}

/// A signed query that names a method and nothing else: the other parameters are in the body.
pub fn signed_query(method: &str) -> String {
    let all = [("method", method), ("client_type", "android")];
    let secret = client_secret(&all, ANDROID_KEY);
    format!("{}&client_secret={secret}", form(&all))
}

/// MD5 in lower-case hexadecimal.
pub fn md5(text: &str) -> String {
    let digest = Md5::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `client_secret` as protocols.md part 1 defines it; `parameters` must not repeat a name.
pub fn client_secret(parameters: &[(&str, &str)], key: &str) -> String {
    let mut signed: BTreeMap<&str, &str> = parameters.iter().copied().collect();
    assert_eq!(signed.len(), parameters.len(), "a repeated name");
    for unsigned in ["client_secret", "q", "debug_data", "/api"] {
        signed.remove(unsigned);
    }
    signed.insert("private_key", key);
    let pairs = signed.iter().map(|(name, value)| format!("{name}={value}"));
    let trimmed: Vec<String> = pairs
        .map(|pair| pair.trim_matches(|c| c <= ' ').to_owned())
        .collect();
    md5(&trimmed.join("&"))
}

/// Splits `uid=5&num=1`, which is not encoded.
fn pairs(parameters: &str) -> Vec<(&str, &str)> {
    let pairs = parameters.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap()).collect()
}

fn form(parameters: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = parameters.iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
