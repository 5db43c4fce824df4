//! The server processes. Each listens on a free port and ends with the benchmark.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::community::{ACTION as BENCH_ACTION, APP_KEY, APP_SECRET, POINTS};
use crate::partner::{ACTION, GRANT_CODE, OPEN_ID, SECRET};
use crate::protocol::{PRIVATE_KEY, SALT};

/// The environment variable that makes this program run as one of its own servers.
pub(crate) const ROLE: &str = "POINTGATE_BENCH_ROLE";
/// The environment variable with the URL of the database of the ORM server.
pub(crate) const DATABASE: &str = "POINTGATE_BENCH_DATABASE";

/// The time within which a server must listen.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// The time within which a server must stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// A running server, killed when dropped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    /// The address on which it listens.
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if the process has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the real server in `folder` with its ledger at `database`, default settings, and its access log on.
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

    /// Starts this program as the server `role`.
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
        while begun.elapsed() < START_TIMEOUT {
            let text = server.log();
            if let Some(address) = listening(&text) {
                server.address = address;
                return Ok(server);
            }
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("a server ended while starting, {status}:\n{text}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!(
            "a server does not listen after {START_TIMEOUT:?}:\n{}",
            server.log()
        ))
    }

    /// The current and the peak resident memory, in MiB.
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
            .ok_or_else(|| format!("{path} has no memory figures"))
    }

    /// The processor time that the server has used so far (s), in its own code and in the kernel.
    pub(crate) fn processor_time(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        // The second field is the name in brackets; utime and stime are the fields 14 and 15, in hundredths of a second.
        let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
        let fields = rest.split_whitespace().skip(11).take(2);
        let ticks: Option<u64> = fields.map(|field| field.parse::<u64>().ok()).sum();
        ticks
            .map(|ticks| ticks as f64 / 100.0)
            .ok_or_else(|| format!("{path} has no processor time"))
    }

    /// Sends SIGTERM and waits until the server has stopped with status 0.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        let signalled = Command::new("kill").args(["-TERM", &id]).status();
        if !signalled.is_ok_and(|status| status.success()) {
            return Err(format!("cannot signal the server:\n{}", self.log_end()));
        }
        let begun = Instant::now();
        while begun.elapsed() < STOP_TIMEOUT {
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
            "a server does not stop within {STOP_TIMEOUT:?}:\n{}",
            self.log_end()
        ))
    }

    /// The last lines of its log.
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

/// Runs `pointgate audit` in `folder`; returns its output.
pub(crate) fn audit(folder: &Path) -> Result<String, String> {
    let output = pointgate("audit", folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start the audit: {error}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    match output.status.success() {
        true => Ok(stdout.trim().to_owned()),
        false => Err(format!(
            "the audit failed, {}:\n{stdout}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// A command of the real program, without the settings in the environment of this process.
fn pointgate(subcommand: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointgate"));
    command
        .arg(subcommand)
        .current_dir(folder)
        .env_remove("RUST_LOG");
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
