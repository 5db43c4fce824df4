//! The sample for nginx in docs/operations.md, unchanged except for addresses and the files of the certificate: two instances on one
//! ledger behind it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::CertifiedKey;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::page::Page;
use crate::program::{CONFIG, Client, Program, ProgramDir};

/// The pages whose sample runs here; the second has the first one's, with comments in Chinese.
pub const EXECUTED: [&str; 2] = ["docs/operations.md", "docs/zh/operations.md"];
/// The bound on everything that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const UID: &str = "50030199";

/// nginx in the foreground; it goes when this is dropped.
struct Nginx {
    child: Child,
    folder: TempDir,
    /// The port of HTTP, which leads to the one of HTTPS.
    plain_port: u16,
    port: u16,
    certificate: CertificateDer<'static>,
}

/// The file of its log.
const LOG: &str = "access.log";
/// The name in the certificate.
const HOST: &str = "localhost";

fn free_port() -> u16 {
    // Free a moment ago; nobody else here takes ports by number.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Nginx {
    /// With the sample, in front of these programs.
    async fn start(programs: [&Program; 2]) -> Nginx {
        let (plain_port, port) = (free_port(), free_port());
        let folder = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        std::fs::write(folder.path().join("c.pem"), cert.pem()).unwrap();
        std::fs::write(folder.path().join("c.key"), signing_key.serialize_pem()).unwrap();
        let sample = Page::read(EXECUTED[0]).block("nginx");
        let ours = |text: String, (theirs, ours): (&str, String)| {
            assert!(text.contains(theirs), "{theirs}");
            text.replace(theirs, &ours)
        };
        let sample = [
            ("10.0.0.11:8080", programs[0].address.to_string()),
            ("10.0.0.12:8080", programs[1].address.to_string()),
            ("listen 80;", format!("listen 127.0.0.1:{plain_port};")),
            ("listen 443 ", format!("listen 127.0.0.1:{port} ")),
            ("/etc/ssl/certs/pointgate.pem", "c.pem".to_owned()),
            ("/etc/ssl/private/pointgate.key", "c.key".to_owned()),
            ("/var/log/nginx/pointgate.log", LOG.to_owned()),
        ]
        .into_iter()
        .fold(sample, ours);
        let whole = format!(
            "pid nginx.pid; error_log stderr; events {{}}\nhttp {{ access_log off; client_body_temp_path t1; \
             proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n{sample}\n}}"
        );
        std::fs::write(folder.path().join("nginx.conf"), whole).unwrap();
        let child = Nginx::command(&folder)
            .args(["-g", "daemon off; master_process off;"])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx is installed");
        let nginx = Nginx {
            child,
            folder,
            plain_port,
            port,
            certificate: cert.der().clone(),
        };
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "nginx does not listen");
            sleep(Duration::from_millis(20)).await;
        }
        nginx
    }

    fn command(folder: &TempDir) -> Command {
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(folder.path())
            .args(["-c", "nginx.conf", "-e", "stderr"]);
        command
    }

    /// A TLS connection that offers this protocol.
    async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.into()];
        let socket = TcpStream::connect(("127.0.0.1", self.port)).await;
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from(HOST).unwrap();
        connector.connect(name, socket.unwrap()).await.unwrap()
    }

    /// A client of what is behind it. The HTTP client of the tests has no TLS: a listener puts it around each connection.
    async fn client(self: &Arc<Nginx>, like: &Client) -> Client {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let nginx = self.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let nginx = nginx.clone();
                tokio::spawn(async move {
                    let mut far = nginx.connect("http/1.1").await;
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Client {
            http: like.http.clone(),
            base: format!("http://{address}"),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = &self.folder;
    }
}

async fn earn(client: &Client, reference: usize) -> reqwest::Result<Value> {
    let query = crate::program::sign_query(&[
        ("method", "app.yohocoin.get"),
        ("uid", UID),
        ("num", "10"),
        ("type", "18"),
        // 0 would be the document's word for none.
        ("referenceId", &format!("r{reference}")),
    ]);
    let url = format!("{}/gateway?{query}", client.base);
    let text = client.http.get(url).send().await?.text().await?;
    // Where nobody is behind it, nginx answers in HTML.
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nginx: tests/with_servers.sh"]
async fn two_instances_behind_the_sample_are_one_gateway() {
    let config =
        format!("{CONFIG}\n").replace("[server]", "[server]\ntrusted_proxies = ['127.0.0.1']");
    let dir = ProgramDir::with_config(&config);
    let mut one = Program::start(&dir, &[]).await;
    let other = Program::start(&dir, &[]).await;
    let nginx = Arc::new(Nginx::start([&one, &other]).await);
    let client = nginx.client(&one.client()).await;
    for reference in 0..40 {
        assert_eq!(earn(&client, reference).await.unwrap()["code"], 200);
    }
    assert_eq!(client.total(UID).await, 400);
    // Both had their share of it.
    for program in [&one, &other] {
        assert!(
            program.log().contains("app.yohocoin.get"),
            "{}",
            program.log()
        );
    }
    // What is for this machine alone is not for who comes through it.
    let url = format!("{}/metrics", client.base);
    assert_eq!(client.http.get(url).send().await.unwrap().status(), 403);
    // QA's word counts where it comes from, not where the proxy stands: see debug_from.
    let forwarded = client.http.get(format!("{}/readyz", client.base)).send();
    assert_eq!(forwarded.await.unwrap().status(), 200);

    // Without TLS there is nothing but the way to it, for the same method and body.
    let plain = format!("http://127.0.0.1:{}/gateway?uid={UID}", nginx.plain_port);
    let stays = reqwest::redirect::Policy::none();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(stays)
        .build();
    let answer = http.unwrap().post(plain).send().await.unwrap();
    assert_eq!(answer.status(), 308);
    let there = format!("https://127.0.0.1/gateway?uid={UID}");
    assert_eq!(answer.headers()["location"], there.as_str());
    let newer = nginx.connect("h2").await;
    assert_eq!(newer.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));

    // A signed URL could be sent again by who reads the log.
    let log = std::fs::read_to_string(nginx.folder.path().join(LOG)).unwrap();
    assert!(log.contains(r#""GET /gateway" 200 "#), "{log}");
    assert!(
        !log.contains("client_secret") && !log.contains(UID),
        "{log}"
    );

    // One dies. Who asks again under the same reference has it, and once.
    one.kill();
    let deadline = Instant::now() + PATIENCE;
    for reference in 20..80 {
        while earn(&client, reference).await.unwrap_or_default()["code"] != 200 {
            assert!(Instant::now() < deadline, "nobody answers");
        }
    }
    assert_eq!(client.total(UID).await, 800);
    other.audit();
}
