//! The file that names the running server. `pointgate reload` finds the process there, and the outcome of the reload.
//!
//! The server holds a lock on the file for as long as it runs, so that a file left by a killed process names nobody.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::output::{self, Escaped};
use crate::config::Config;

/// How long `pointgate reload` waits for the outcome.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two looks at the file.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a starting server waits for the lock, which a `pointgate reload` may hold for a moment.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// The most bytes of the file that are read.
const MAX_SIZE: u64 = 1 << 20;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The number of the process.
    pub pid: i32,
    /// How many reloads it has done, with or without success.
    pub reloads: u64,
    /// Why the last reload changed nothing; `None` = it was taken over.
    pub error: Option<String>,
    /// The settings that differ from those by which the process runs until it is restarted.
    pub pending: Vec<String>,
}

/// The file of this process, locked until it is dropped, which removes it.
pub struct PidFile {
    path: PathBuf,
    file: File,
    status: Status,
}

impl PidFile {
    /// Makes the file for this process. Returns `None` with a warning if that is impossible or another process holds it.
    pub fn hold(path: &Path) -> Option<PidFile> {
        match try_hold(path) {
            Ok(held) => Some(held),
            Err(error) => {
                log::warn!(
                    "`pointgate reload` will not find this process: server.pid_file {path:?}: {error}"
                );
                None
            }
        }
    }

    /// Says how a reload ended: with the settings that need a restart, or with why it changed nothing.
    pub fn reloaded(&mut self, outcome: Result<&[&'static str], &str>) {
        self.status.reloads += 1;
        self.status.error = outcome.err().map(str::to_owned);
        if let Ok(pending) = outcome {
            self.status.pending = pending.iter().map(|name| (*name).to_owned()).collect();
        }
        if let Err(error) = self.write() {
            log::warn!("cannot write server.pid_file: {error}");
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let text = serde_json::to_string(&self.status)?;
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(text.as_bytes())
    }
}

fn try_hold(path: &Path) -> io::Result<PidFile> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let file = lock(path)?;
    let pid = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    let status = Status {
        pid,
        ..Status::default()
    };
    let path = path.to_owned();
    let mut held = PidFile { path, file, status };
    held.write()?;
    Ok(held)
}

/// Opens and locks the file, which a process that stops may remove at the same time.
fn lock(path: &Path) -> io::Result<File> {
    let begun = Instant::now();
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match file.try_lock() {
            Ok(()) if fs::metadata(path).is_ok_and(|it| is_same(&it, &file)) => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_WAIT => {
                std::thread::sleep(PAUSE);
            }
            Ok(()) | Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another process holds it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn is_same(named: &fs::Metadata, open: &File) -> bool {
    let same = |open: fs::Metadata| (open.dev(), open.ino()) == (named.dev(), named.ino());
    open.metadata().is_ok_and(same)
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // A file that stays names nobody, since nobody has its lock.
        let _ = fs::remove_file(&self.path);
    }
}

/// Asks the running server to take over its configuration, and prints the outcome.
pub fn reload(config: &Config) -> Result<(), String> {
    let path = config.server.pid_file.as_deref();
    let path = path.ok_or("server.pid_file is not set; send the process SIGHUP instead")?;
    let shown = path.display();
    let nobody = || format!("no server runs with the pid_file {shown}");
    let file = File::open(path).map_err(|error| format!("{}: {error}", nobody()))?;
    if file.try_lock_shared().is_ok() {
        return Err(nobody());
    }
    let before = status(path).ok_or_else(nobody)?;
    let pid = Pid::from_raw(before.pid).ok_or_else(nobody)?;
    kill_process(pid, Signal::HUP)
        .map_err(|error| format!("cannot signal {}: {error}", before.pid))?;
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match status(path) {
            Some(after) if after.pid == before.pid && after.reloads > before.reloads => {
                return report(&after);
            }
            _ => std::thread::sleep(PAUSE),
        }
    }
    Err(format!(
        "the process {} did not answer within {PATIENCE:?}; its log may say why",
        before.pid
    ))
}

/// What the file says; `None` if it is not whole, since it is being written.
fn status(path: &Path) -> Option<Status> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MAX_SIZE).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn report(status: &Status) -> Result<(), String> {
    if let Some(error) = &status.error {
        return Err(format!("the configuration is unchanged: {error}"));
    }
    output::line("reloaded")?;
    let mut pending = status.pending.iter();
    pending.try_for_each(|name| output::line(Escaped(format_args!("needs a restart: {name}"))))
}
