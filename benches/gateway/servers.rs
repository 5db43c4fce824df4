//! The server processes, each on a port of its own choice; they do not outlive the benchmark.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::community::{ACTION as BENCH_ACTION, APP_KEY, APP_SECRET, POINTS};
use crate::partner::{ACTION, GRANT_CODE, OPEN_ID, SECRET};
use crate::protocol::{PRIVATE_KEY, SALT};

/// Tells a process of this program that it is a server, and which.
pub(crate) const ROLE: &str = "POINTGATE_BENCH_ROLE";
/// Tells the ORM server where its ledger is.
pub(crate) const DATABASE: &str = "POINTGATE_BENCH_DATABASE";

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(10);
/// How long a server may take to stop.
const STOP: Duration = Duration::from_secs(40);

/// A running server; killed where it is dropped before it has stopped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// The real server, as it is installed, in `folder`: its defaults, its access log on, its ledger at `database`.
    pub(crate) fn pointgate(folder: &Path, database: &str) -> Result<Server, String> {
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n\n[database]\nurl = \"{database}\"\n\n[yoho]\nsalt = \"{SALT}\"\n\n\
             [yoho.client_keys]\nandroid = \"{PRIVATE_KEY}\"\n\n\
             [[openapi.partners]]\nopen_id = \"{OPEN_ID}\"\ngrant_code = \"{GRANT_CODE}\"\n\
             secret = \"{SECRET}\"\nallow = [\"{ACTION}\"]\n\n\
             [osx]\napp_key = \"{APP_KEY}\"\napp_secret = \"{APP_SECRET}\"\n\n\
             [[osx.rules]]\naction = \"{BENCH_ACTION}\"\nuser = {{ score2 = {POINTS} }}\n"
        );
        std::fs::write(folder.join("gateway.toml"), config)
            .map_err(|error| format!("cannot write gateway.toml: {error}"))?;
        let mut command = pointgate("serve", folder);
        command.env("RUST_LOG", "pointgate=info,warn");
        Server::start(command, folder.join("pointgate.log"))
    }

    /// This program once more, as the server `role`.
    pub(crate) fn role(role: &str, folder: &Path, database: &str) -> Result<Server, String> {
        let program =
            std::env::current_exe().map_err(|error| format!("cannot start {role}: {error}"))?;
        let mut command = Command::new(program);
        command.env(ROLE, role).env(DATABASE, database);
        Server::start(command, folder.join(format!("{role}.log")))
    }

    fn start(mut command: Command, log: PathBuf) -> Result<Server, String> {
        let name = log.display().to_string();
        let file = File::create(&log).map_err(|error| format!("cannot write {name}: {error}"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(|error| format!("cannot start the server of {name}: {error}"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server {
            child,
            log,
            address,
        };
        let begun = Instant::now();
        while begun.elapsed() < START {
            let text = server.log();
            if let Some(address) = listening(&text) {
                server.address = address;
                return Ok(server);
            }
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("a server ended at its start, {status}:\n{text}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!(
            "a server does not listen after {START:?}:\n{}",
            server.log()
        ))
    }

    /// Its resident memory now and at its peak, in MiB.
    pub(crate) fn memory(&self) -> Result<(f64, f64), String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kib / 1024.0)
        };
        field("VmRSS:")
            .zip(field("VmHWM:"))
            .ok_or_else(|| format!("{path} tells no memory"))
    }

    /// Asks it to stop and waits until it has, well.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        if !asked.is_ok_and(|status| status.success()) {
            return Err(format!(
                "cannot ask the server to stop:\n{}",
                self.log_end()
            ));
        }
        let begun = Instant::now();
        while begun.elapsed() < STOP {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(format!(
                        "a server stopped with {status}:\n{}",
                        self.log_end()
                    ));
                }
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        Err(format!(
            "a server does not stop within {STOP:?}:\n{}",
            self.log_end()
        ))
    }

    /// The last lines of what it wrote.
    pub(crate) fn log_end(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().rev().take(10).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// `pointgate audit` on the ledger in `folder`; gives what it says.
pub(crate) fn audit(folder: &Path) -> Result<String, String> {
    let output = pointgate("audit", folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start the audit: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    match output.status.success() {
        true => Ok(said.trim().to_owned()),
        false => Err(format!(
            "the audit failed, {}:\n{said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// The real program with nothing of this process's settings.
fn pointgate(task: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointgate"));
    command.arg(task).current_dir(folder).env_remove("RUST_LOG");
    for (name, _) in std::env::vars_os() {
        if name
            .to_string_lossy()
            .to_ascii_uppercase()
            .starts_with("POINTGATE")
        {
            command.env_remove(name);
        }
    }
    command
}

/// The address in `listening on 127.0.0.1:PORT`, once the line is complete.
fn listening(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("listening on ")?;
    let (line, _) = rest.split_once('\n')?;
    let (_, rest) = line.split_once("127.0.0.1:")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some(SocketAddr::from(([127, 0, 0, 1], digits.parse().ok()?)))
}
