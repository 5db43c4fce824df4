//! The log's way to standard error: lines wait a moment in memory, so that not every request pays for a system call.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use env_logger::{Builder, Env, Target};

use crate::gateway::context::RequestId;

/// How long a line waits for company.
const MOMENT: Duration = Duration::from_millis(20);
/// How many bytes wait at most; who adds more writes them out.
const MOST: usize = 1 << 16;

/// Lines that wait, and whether the program is ending.
#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    ending: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    some: Condvar,
    /// Held by whoever writes, so that lines keep their order; the buffer that is written, or was.
    writing: Mutex<Vec<u8>>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Shared>);

/// Writes out what waits when it is dropped.
pub struct Written(Lines, Option<JoinHandle<()>>);

/// Starts logging: `RUST_LOG`, by default what this program says and the warnings of others; it says itself what lapin would.
pub fn init() -> Written {
    let lines = Lines::default();
    Builder::from_env(Env::default().default_filter_or("pointgate=info,lapin=off,warn"))
        .target(Target::Pipe(Box::new(lines.clone())))
        .format(|line, record| {
            let (time, level, target) = (line.timestamp(), record.level(), record.target());
            let message = record.args();
            match RequestId::current() {
                Some(id) => writeln!(line, "[{time} {level:<5} {target}] {message} id={id}"),
                None => writeln!(line, "[{time} {level:<5} {target}] {message}"),
            }
        })
        .init();
    let writer = lines.clone();
    let thread = std::thread::Builder::new()
        .name("log".into())
        .spawn(move || writer.run());
    Written(lines, thread.ok())
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let nothing = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.ending;
            let waiting = self.0.some.wait_while(self.lock(), nothing);
            let ending = waiting.unwrap_or_else(PoisonError::into_inner).ending;
            if !ending {
                std::thread::sleep(MOMENT);
            }
            self.write_out();
            if ending {
                return;
            }
        }
    }

    /// Writes what waits, while others may add to it.
    fn write_out(&self) {
        let mut lines = self
            .0
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *lines, &mut self.lock().lines);
        // There is nobody to tell that standard error cannot be written to.
        let _ = io::stderr().write_all(&lines);
        lines.clear();
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lock();
        waiting.lines.extend_from_slice(line);
        let (first, full) = (
            waiting.lines.len() == line.len(),
            waiting.lines.len() > MOST,
        );
        drop(waiting);
        if full {
            self.write_out();
        } else if first {
            self.0.some.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        self.0.lock().ending = true;
        self.0.0.some.notify_one();
        if let Some(thread) = self.1.take() {
            let _ = thread.join();
        }
        self.0.write_out();
    }
}
