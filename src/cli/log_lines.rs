//! Buffered logging to standard error: a thread writes the lines in batches, so that a request rarely pays for a system call.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use env_logger::{Builder, Env, Target};

use crate::gateway::context::RequestId;

/// The longest time a line stays in the buffer.
const FLUSH_DELAY: Duration = Duration::from_millis(20);
/// The buffer size, in bytes, beyond which the logging thread itself writes.
const FLUSH_SIZE: usize = 1 << 16;

#[derive(Default)]
struct Buffer {
    lines: Vec<u8>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    changed: Condvar,
    /// The lines being written. Its lock is held during a write, so that batches keep their order.
    writing: Mutex<Vec<u8>>,
}

#[derive(Clone, Default)]
struct BufferedStderr(Arc<Shared>);

/// Writes the remaining lines and ends the writer thread when dropped.
pub struct LogGuard {
    stderr: BufferedStderr,
    writer: Option<JoinHandle<()>>,
}

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
    let writer = std::thread::Builder::new()
        .name("log".into())
        .spawn(move || lines.run());
    LogGuard {
        stderr,
        writer: writer.ok(),
    }
}

impl BufferedStderr {
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.0.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer thread: writes the buffer until it is closed.
    fn run(&self) {
        loop {
            let idle = |buffer: &mut Buffer| buffer.lines.is_empty() && !buffer.closed;
            let buffer = self.0.changed.wait_while(self.buffer(), idle);
            let closed = buffer.unwrap_or_else(PoisonError::into_inner).closed;
            if !closed {
                std::thread::sleep(FLUSH_DELAY);
            }
            self.write_out();
            if closed {
                return;
            }
        }
    }

    /// Writes the buffered lines; other threads may add lines meanwhile.
    fn write_out(&self) {
        let mut lines = self
            .0
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *lines, &mut self.buffer().lines);
        // An error of standard error has nowhere to be reported.
        let _ = io::stderr().write_all(&lines);
        lines.clear();
    }
}

impl Write for BufferedStderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut buffer = self.buffer();
        buffer.lines.extend_from_slice(line);
        let first = buffer.lines.len() == line.len();
        let full = buffer.lines.len() > FLUSH_SIZE;
        drop(buffer);
        if full {
            self.write_out();
        } else if first {
            self.0.changed.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.stderr.buffer().closed = true;
        self.stderr.0.changed.notify_one();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        self.stderr.write_out();
    }
}
