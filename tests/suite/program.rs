//! The real program in a directory of its own, run as an operator runs it, and a client that signs as the old ones do.

mod client;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::database::Fresh;
pub use client::{Answer, Client, KEY, sign_query};
use tempfile::TempDir;
use tokio::time::sleep;

/// The salt of responses.
pub const SALT: &str = "salt-of-the-suite";
/// The configuration that [`ProgramDir::new`] writes.
pub const CONFIG: &str = "\
[server]
listen = '127.0.0.1:0'
[yoho]
salt = 'salt-of-the-suite'
debug = ''
[yoho.client_keys]
android = 'k-android'
";
/// The bound on everything that is waited for, except a stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// The bound on a stop: the issue's own.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A directory in which the program runs; copies are the same directory, which goes with the last of them.
#[derive(Clone)]
pub struct ProgramDir(Arc<DirState>);

struct DirState {
    folder: TempDir,
    database: Option<Fresh>,
    database_url: Option<String>,
    ignores_file_size_signal: bool,
}

impl ProgramDir {
    /// An empty one.
    pub fn empty() -> ProgramDir {
        ProgramDir(Arc::new(DirState {
            folder: tempfile::tempdir().unwrap(),
            database: Fresh::new(),
            database_url: None,
            ignores_file_size_signal: false,
        }))
    }

    /// One with a `gateway.toml`.
    pub fn with_config(config: &str) -> ProgramDir {
        let dir = ProgramDir::empty();
        dir.write("gateway.toml", config);
        dir
    }

    /// One with [`CONFIG`].
    pub fn new() -> ProgramDir {
        ProgramDir::with_config(CONFIG)
    }

    /// The same with SQLite's file, whatever the tests run on: for what is about that file.
    pub fn on_sqlite(mut self) -> ProgramDir {
        let state = Arc::get_mut(&mut self.0).expect("nothing runs in it yet");
        state.database = None;
        self
    }

    /// The same with a database on the server that this variable names, whatever the tests run on.
    pub fn on_server(mut self, server: &str) -> ProgramDir {
        let state = Arc::get_mut(&mut self.0).expect("nothing runs in it yet");
        state.database = Some(Fresh::on(server));
        self
    }

    /// The same where writing past the limit of a file is an error for the program, and not its end.
    pub fn ignoring_file_size_signal(mut self) -> ProgramDir {
        let state = Arc::get_mut(&mut self.0).expect("nothing runs in it yet");
        state.ignores_file_size_signal = true;
        self
    }

    /// The URL of its database.
    pub fn database_url(&self) -> String {
        match &self.0.database {
            Some(fresh) => fresh.url(),
            None => format!("sqlite://{}", self.database_file().display()),
        }
    }

    /// The same with the database at `url`, whatever the tests run on.
    pub fn on_database(self, url: &str) -> ProgramDir {
        let mut dir = self.on_sqlite();
        let state = Arc::get_mut(&mut dir.0).expect("nothing runs in it yet");
        state.database_url = Some(url.to_owned());
        dir
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.folder.path().join(name)
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Where the ledger is by default.
    pub fn database_file(&self) -> PathBuf {
        self.path("data/pointgate.db")
    }

    /// Runs a command to its end, which must come by itself.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    /// Runs a command to its end under these environment variables.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut child = self.spawn(arguments, variables);
        let (out, err) = (
            drain(child.stdout.take().unwrap()),
            drain(child.stderr.take().unwrap()),
        );
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    panic!("{arguments:?} does not end: {}", text(&err.join().unwrap()));
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        Output {
            status,
            stdout: out.join().unwrap(),
            stderr: err.join().unwrap(),
        }
    }

    /// Starts a command.
    pub fn spawn(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Child {
        let program = env!("CARGO_BIN_EXE_pointgate");
        let mut command = Command::new(program);
        if self.0.ignores_file_size_signal {
            command = Command::new("sh");
            command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", program]);
        }
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().to_uppercase();
            if name.starts_with("POINTGATE_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        let fresh = self.0.database.as_ref().map(Fresh::url);
        if let Some(url) = self.0.database_url.clone().or(fresh) {
            command.env("POINTGATE__DATABASE__URL", url);
        }
        command
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(self.0.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let _ = pipe.read_to_end(&mut all);
        all
    })
}

/// What a command printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The program while it serves; killed when dropped.
pub struct Program {
    /// Where it runs.
    pub dir: ProgramDir,
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    /// In a fresh directory with [`CONFIG`].
    pub async fn new() -> Program {
        Program::start(&ProgramDir::new(), &[]).await
    }

    /// In a directory, under these environment variables; waits until it listens.
    pub async fn start(dir: &ProgramDir, variables: &[(&str, &str)]) -> Program {
        let mut child = dir.spawn(&["serve"], variables);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (stderr, into) = (child.stderr.take().unwrap(), lines.clone());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                into.lock().unwrap().push(text(&line));
            }
        });
        let mut program = Program {
            dir: dir.clone(),
            address: ([127, 0, 0, 1], 0).into(),
            child,
            lines,
            reader: Some(reader),
        };
        let line = program.wait_for_log("listening on ").await;
        let address = line.rsplit("listening on ").next().unwrap();
        program.address = address.trim().parse().unwrap();
        program
    }

    /// Starts again in the same directory, once it has ended.
    pub async fn restart(&mut self) {
        assert!(self.child.try_wait().unwrap().is_some(), "it still runs");
        *self = Program::start(&self.dir, &[]).await;
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        Client {
            http: http.build().unwrap(),
            base: format!("http://{}", self.address),
        }
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// The first line of the log that holds `what`, as soon as it is there.
    pub async fn wait_for_log(&mut self, what: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().unwrap();
            let reading = self.reader.as_ref().is_some_and(|it| !it.is_finished());
            let lines = self.lines.lock().unwrap().clone();
            if let Some(line) = lines.iter().find(|line| line.contains(what)) {
                return line.clone();
            }
            let over = (ended.is_some() && !reading) || Instant::now() > deadline;
            assert!(!over, "no {what:?} in the log:\n{}", lines.join("\n"));
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it without any warning.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success(), "kill -{name}");
    }

    /// Its process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How it ended, which must come within the time that a stop may take.
    pub async fn wait_for_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + STOP_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(reader) = self.reader.take() {
                    reader.join().unwrap();
                }
                return status;
            }
            let log = self.log();
            assert!(Instant::now() < deadline, "it does not stop:\n{log}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops it as an operator does, and gives how it ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait_for_exit().await
    }

    /// Runs the audit beside it, or after it.
    #[track_caller]
    pub fn audit(&self) {
        let audit = self.dir.run(&["audit"]);
        assert!(audit.status.success(), "{}", text(&audit.stderr));
        assert!(text(&audit.stdout).starts_with("audit passed: "));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
