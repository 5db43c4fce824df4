//! The real program, run in a directory of its own as an operator runs it, and a client of it.

mod client;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::database::Fresh;
pub use client::{Answer, Client, KEY, sign_query, sign_query_with};
use tempfile::TempDir;
use tokio::time::sleep;

/// The salt in [`CONFIG`].
pub const SALT: &str = "salt-of-the-suite";
/// The `gateway.toml` of [`ProgramDir::new`].
pub const CONFIG: &str = "\
[server]
listen = '127.0.0.1:0'
[yoho]
salt = 'salt-of-the-suite'
debug = ''
[yoho.client_keys]
android = 'k-android'
";
/// The limit for every wait except that for a stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// The limit for a stop, which the requirements set.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A directory in which the program runs. Clones share it, and dropping the last one deletes it.
#[derive(Clone)]
pub struct ProgramDir(Arc<DirState>);

struct DirState {
    folder: TempDir,
    database: Option<Fresh>,
    database_url: Option<String>,
    ignores_file_size_signal: bool,
}

impl ProgramDir {
    /// An empty directory.
    pub fn empty() -> ProgramDir {
        ProgramDir(Arc::new(DirState {
            folder: tempfile::tempdir().unwrap(),
            database: Fresh::new(),
            database_url: None,
            ignores_file_size_signal: false,
        }))
    }

    /// A directory with this `gateway.toml`.
    pub fn with_config(config: &str) -> ProgramDir {
        let dir = ProgramDir::empty();
        dir.write("gateway.toml", config);
        dir
    }

    /// A directory with [`CONFIG`].
    pub fn new() -> ProgramDir {
        ProgramDir::with_config(CONFIG)
    }

    /// Uses the default SQLite file even if the tests run on another database.
    pub fn on_sqlite(mut self) -> ProgramDir {
        let state = Arc::get_mut(&mut self.0).expect("nothing runs in it yet");
        state.database = None;
        self
    }

    /// Uses a new database on the server that this environment variable names.
    pub fn on_server(mut self, server: &str) -> ProgramDir {
        let state = Arc::get_mut(&mut self.0).expect("nothing runs in it yet");
        state.database = Some(Fresh::on(server));
        self
    }

    /// Ignores SIGXFSZ in the program, so that a write beyond the file-size limit is an error instead of its end.
    pub fn ignoring_file_size_signal(mut self) -> ProgramDir {
        let state = Arc::get_mut(&mut self.0).expect("nothing runs in it yet");
        state.ignores_file_size_signal = true;
        self
    }

    /// The URL of the program's database.
    pub fn database_url(&self) -> String {
        match &self.0.database {
            Some(fresh) => fresh.url(),
            None => format!("sqlite://{}", self.database_file().display()),
        }
    }

    /// Uses the database at `url`.
    pub fn on_database(self, url: &str) -> ProgramDir {
        let mut dir = self.on_sqlite();
        let state = Arc::get_mut(&mut dir.0).expect("nothing runs in it yet");
        state.database_url = Some(url.to_owned());
        dir
    }

    /// The path of a file in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.folder.path().join(name)
    }

    /// Writes a file into the directory.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The path of the default SQLite file.
    pub fn database_file(&self) -> PathBuf {
        self.path("data/pointgate.db")
    }

    /// Runs a command of the program and waits for its end; kills it and panics after [`PATIENCE`].
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    /// Runs a command as [`ProgramDir::run`] does, with these environment variables.
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

    /// Starts a command of the program without waiting for it.
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

/// A command's output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running `pointgate serve`; dropping it kills the process.
pub struct Program {
    /// The directory in which it runs.
    pub dir: ProgramDir,
    /// The address on which it listens.
    pub address: SocketAddr,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts the program in a new directory with [`CONFIG`].
    pub async fn new() -> Program {
        Program::start(&ProgramDir::new(), &[]).await
    }

    /// Starts the program with these environment variables, and waits until it listens.
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

    /// Starts the program again in the same directory; it must have ended.
    pub async fn restart(&mut self) {
        assert!(self.child.try_wait().unwrap().is_some(), "it still runs");
        *self = Program::start(&self.dir, &[]).await;
    }

    /// A client of this program.
    pub fn client(&self) -> Client {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        Client {
            http: http.build().unwrap(),
            base: format!("http://{}", self.address),
        }
    }

    /// The log lines so far.
    pub fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Waits for a log line that contains `text`, and returns the first.
    pub async fn wait_for_log(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().unwrap();
            let reading = self.reader.as_ref().is_some_and(|it| !it.is_finished());
            let lines = self.lines.lock().unwrap().clone();
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let over = (ended.is_some() && !reading) || Instant::now() > deadline;
            assert!(!over, "no {text:?} in the log:\n{}", lines.join("\n"));
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills the process with SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends the process a signal: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success(), "kill -{name}");
    }

    /// The number by which `kill` and `prlimit` name the process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until the process ends, which must happen within [`STOP_WITHIN`], and returns its status.
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

    /// Sends SIGTERM and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait_for_exit().await
    }

    /// Runs `pointgate audit`, which must pass; the program may be running or stopped.
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
