//! Nobody reads standard error: requests are answered all the same, and lines that find no room are dropped and counted.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ExitStatus};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::program::{Client, ProgramDir};

/// The bound on everything that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// The limit for a stop, which the requirements set.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A running program whose log is not read.
struct Blocked {
    child: Child,
    stderr: Option<BufReader<ChildStderr>>,
    client: Client,
    _dir: ProgramDir,
}

impl Blocked {
    /// Starts the program, with a long log line or more for each request, and reads the log until it listens.
    fn start() -> Blocked {
        let dir = ProgramDir::new().on_sqlite();
        let mut child = dir.spawn(&["serve"], &[("RUST_LOG", "trace")]);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(
                stderr.read_line(&mut line).unwrap() > 0,
                "it does not start"
            );
            if let Some((_, address)) = line.split_once("pointgate::cli::serve] listening on ") {
                break address.trim().to_owned();
            }
        };
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        let client = Client {
            http: http.build().unwrap(),
            base: format!("http://{address}"),
        };
        Blocked {
            child,
            stderr: Some(stderr),
            client,
            _dir: dir,
        }
    }

    /// The metric of dropped lines.
    async fn dropped(&self) -> u64 {
        let answer = self
            .client
            .http
            .get(format!("{}/metrics", self.client.base));
        let text = answer.send().await.unwrap().text().await.unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("pointgate_log_lines_dropped_total "));
        line.unwrap().parse().unwrap()
    }

    /// Sends requests until the pipe and the buffer are full and lines are dropped.
    async fn fill(&self) {
        let deadline = Instant::now() + PATIENCE;
        assert_eq!(self.dropped().await, 0);
        while self.dropped().await == 0 {
            assert!(Instant::now() < deadline, "no line is dropped");
            for _ in 0..100 {
                assert_eq!(self.client.total("5").await, 0);
            }
        }
    }

    async fn terminate(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-TERM", &id])
            .status();
        assert!(sent.unwrap().success());
        let deadline = Instant::now() + STOP_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not stop");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_stops_no_request() {
    let mut program = Blocked::start();
    program.fill().await;
    for _ in 0..50 {
        assert_eq!(program.client.total("5").await, 0);
    }
    // It flows again: what waited is there, and then how much is missing.
    let mut stderr = program.stderr.take().unwrap();
    let mut line = Vec::new();
    let reported = loop {
        line.clear();
        assert!(stderr.read_until(b'\n', &mut line).unwrap() > 0);
        let line = String::from_utf8_lossy(&line);
        if let Some((head, _)) = line.split_once(" log lines were dropped: ") {
            let (time, number) = head.split_once(" WARN  pointgate] ").unwrap();
            assert!(time.starts_with("[2") && time.ends_with('Z'), "{time}");
            break number.parse::<u64>().unwrap();
        }
        assert!(line.starts_with('['), "a line is whole: {line}");
    };
    assert!(reported > 0);
    let rest = std::thread::spawn(move || {
        let mut rest = Vec::new();
        stderr.read_to_end(&mut rest).unwrap();
        rest
    });
    assert!(program.dropped().await >= reported);
    assert_eq!(program.terminate().await.code(), Some(0));
    let rest = String::from_utf8_lossy(&rest.join().unwrap()).into_owned();
    assert!(rest.contains("] stopped\n"), "{rest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_holds_up_no_stop() {
    let mut program = Blocked::start();
    program.fill().await;
    assert_eq!(program.terminate().await.code(), Some(0));
}
