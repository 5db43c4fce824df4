//! The sample for nginx in docs/operations.md, unchanged except for addresses: two instances on one ledger behind it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

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
    port: u16,
}

impl Nginx {
    /// With the sample, in front of these programs.
    async fn start(programs: [&Program; 2]) -> Nginx {
        // Free a moment ago; nobody else here takes ports by number.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let port = port.unwrap().port();
        let sample = Page::read(EXECUTED[0]).block("nginx");
        let ours = |text: String, (theirs, ours): (&str, String)| {
            assert!(text.contains(theirs), "{theirs}");
            text.replace(theirs, &ours)
        };
        let sample = [
            ("10.0.0.11:8080", programs[0].address.to_string()),
            ("10.0.0.12:8080", programs[1].address.to_string()),
            ("listen 80;", format!("listen 127.0.0.1:{port};")),
        ]
        .into_iter()
        .fold(sample, ours);
        let folder = tempfile::tempdir().unwrap();
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
            port,
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

    /// A client of what is behind it.
    fn client(&self, like: &Client) -> Client {
        Client {
            http: like.http.clone(),
            base: format!("http://127.0.0.1:{}", self.port),
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
        ("referenceId", &reference.to_string()),
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
    let nginx = Nginx::start([&one, &other]).await;
    let client = nginx.client(&one.client());
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
