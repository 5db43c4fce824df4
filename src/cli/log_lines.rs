//! Logging to standard error through a buffer: a thread writes the lines in batches, so that a request neither pays for a system call
//! nor waits for the reader of the log. Lines that find the buffer full are dropped and counted.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use env_logger::{Builder, Env, Target};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;

use crate::gateway::context::RequestId;

/// The longest time a line stays in the buffer while standard error takes lines.
const FLUSH_DELAY: Duration = Duration::from_millis(20);
/// The buffer size, in bytes, beyond which the thread writes without that delay.
const FLUSH_SIZE: usize = 1 << 16;
/// The most bytes that wait; one more line is dropped. It is the log of some ten thousand requests.
const MAX_WAITING: usize = 1 << 20;
/// The time limit for the remaining lines at the end of the program.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause before another try if standard error would block, which it reports itself only if it was opened so.
const RETRY_DELAY: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Buffer {
    lines: Vec<u8>,
    /// The lines dropped since the last report of them.
    unreported: u64,
    closed: bool,
    finished: bool,
}

#[derive(Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    changed: Condvar,
    dropped: Counter,
}

#[derive(Clone, Default)]
struct BufferedStderr(Arc<Shared>);

/// Waits for the remaining lines when dropped, but not for long.
pub struct LogGuard(BufferedStderr);

/// Starts logging at the levels of `RUST_LOG`; the default is `info` for this program and `warn` for its libraries, except lapin,
/// whose errors this program logs itself.
pub fn init() -> LogGuard {
    let stderr = BufferedStderr::default();
    Builder::from_env(Env::default().default_filter_or("pointgate=info,lapin=off,warn"))
        .target(Target::Pipe(Box::new(stderr.clone())))
        .format(|line, record| {
            let (time, level, target) = (line.timestamp(), record.level(), record.target());
            let message = record.args();
            match RequestId::current() {
                Some(id) => writeln!(line, "[{time} {level:<5} {target}] {message} id={id}"),
                None => writeln!(line, "[{time} {level:<5} {target}] {message}"),
            }
        })
        .init();
    let lines = stderr.clone();
    let writer = std::thread::Builder::new().name("log".into());
    if writer.spawn(move || lines.run()).is_err() {
        // Without a thread nobody writes, and the end need not wait.
        stderr.buffer().finished = true;
    }
    LogGuard(stderr)
}

impl LogGuard {
    /// Counts the lines that were dropped.
    pub fn dropped(&self) -> Counter {
        self.0.0.dropped.clone()
    }
}

impl BufferedStderr {
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.0.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the buffer is so, at most for this time.
    fn wait(&self, most: Duration, condition: impl Fn(&Buffer) -> bool) -> MutexGuard<'_, Buffer> {
        let changed = &self.0.changed;
        let waited = changed.wait_timeout_while(self.buffer(), most, |buffer| condition(buffer));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The writer thread: writes the buffer until it is closed and empty.
    fn run(&self) {
        let mut batch = Vec::new();
        loop {
            drop(self.wait(Duration::MAX, |buffer| {
                buffer.lines.is_empty() && !buffer.closed
            }));
            let mut buffer = self.wait(FLUSH_DELAY, |buffer| {
                buffer.lines.len() < FLUSH_SIZE && !buffer.closed
            });
            let closed = buffer.closed;
            mem::swap(&mut batch, &mut buffer.lines);
            drop(buffer);
            self.write_out(&batch);
            batch.clear();
            if closed {
                break;
            }
        }
        self.buffer().finished = true;
        self.0.changed.notify_all();
    }

    /// Writes a batch of lines, and then how many were dropped while standard error took none.
    fn write_out(&self, batch: &[u8]) {
        self.count_dropped(write_all(batch));
        let unreported = mem::take(&mut self.buffer().unreported);
        if unreported > 0 {
            let time = Timestamp::now();
            let report = format!(
                "[{time:.0} WARN  pointgate] {unreported} log lines were dropped: standard error did not take them in time\n"
            );
            if write_all(report.as_bytes()) > 0 {
                self.buffer().unreported += unreported;
            }
        }
    }

    fn count_dropped(&self, lines: u64) {
        if lines > 0 {
            self.buffer().unreported += lines;
            self.0.dropped.inc_by(lines);
        }
    }
}

/// Writes all lines to standard error, however long it blocks. Returns the number of lines that it refused.
fn write_all(mut lines: &[u8]) -> u64 {
    let mut stderr = io::stderr();
    while !lines.is_empty() {
        match stderr.write(lines) {
            Ok(written) if written > 0 => lines = lines.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(RETRY_DELAY);
            }
            Ok(_) | Err(_) => break,
        }
    }
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}

impl Write for BufferedStderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut buffer = self.buffer();
        let before = buffer.lines.len();
        if before + line.len() > MAX_WAITING {
            drop(buffer);
            self.count_dropped(1);
            return Ok(line.len());
        }
        buffer.lines.extend_from_slice(line);
        let full = before < FLUSH_SIZE && buffer.lines.len() >= FLUSH_SIZE;
        drop(buffer);
        if before == 0 || full {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.buffer().closed = true;
        self.0.0.changed.notify_all();
        drop(self.0.wait(CLOSE_TIMEOUT, |buffer| !buffer.finished));
    }
}
