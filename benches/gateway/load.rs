//! The load generator: keep-alive connections with one request in flight each. It compares every answer byte by byte.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

pub(crate) use crate::workload::CONNECTIONS;
use crate::workload::Script;

/// Threads that drive the connections. They share the cores with the server, so they are few.
const THREADS: usize = 2;
/// The largest accepted response, in bytes.
const MAX_RESPONSE: usize = 4096;
/// How long a round may exceed its duration; the limit for a round without one.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The result of a round.
pub(crate) struct Round {
    /// The number of answers; all were as expected.
    pub(crate) done: usize,
    /// The time from the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// The latency of each request, in microseconds, unordered.
    pub(crate) latencies: Vec<u32>,
}

impl Round {
    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }
}

/// Runs each script on a connection of its own, until `time` is over or all scripts end. Returns the scripts with their progress.
pub(crate) fn run(
    server: SocketAddr,
    scripts: Vec<Script>,
    time: Option<Duration>,
) -> Result<(Round, Vec<Script>), String> {
    let barrier = Barrier::new(THREADS);
    let share = scripts.len().div_ceil(THREADS);
    let mut rest = scripts;
    let threads: Vec<Result<Part, String>> = std::thread::scope(|scope| {
        let mut handles = Vec::new();
        for _ in 0..THREADS {
            let later = rest.split_off(share.min(rest.len()));
            let mine = std::mem::replace(&mut rest, later);
            let barrier = &barrier;
            handles.push(scope.spawn(move || thread(server, mine, time, barrier)));
        }
        let joined = handles.into_iter().map(|handle| handle.join());
        joined
            .map(|part| part.unwrap_or_else(|_| Err("a generator thread panicked".into())))
            .collect()
    });
    let mut parts = threads.into_iter().collect::<Result<Vec<Part>, String>>()?;
    let begun = parts.iter().map(|part| part.begun).min();
    let ended = parts.iter().map(|part| part.ended).max();
    let (Some(begun), Some(ended)) = (begun, ended) else {
        return Err("no thread ran".into());
    };
    let latencies: Vec<u32> = parts
        .iter_mut()
        .flat_map(|p| p.latencies.drain(..))
        .collect();
    let round = Round {
        done: latencies.len(),
        elapsed: ended - begun,
        latencies,
    };
    Ok((round, parts.into_iter().flat_map(|p| p.scripts).collect()))
}

/// The result of one thread.
struct Part {
    begun: Instant,
    ended: Instant,
    latencies: Vec<u32>,
    scripts: Vec<Script>,
}

fn thread(
    server: SocketAddr,
    scripts: Vec<Script>,
    time: Option<Duration>,
    barrier: &Barrier,
) -> Result<Part, String> {
    let connected = connect(server, scripts.len());
    // Wait even if a connection failed: otherwise the other threads would wait forever.
    barrier.wait();
    let (runtime, connections) = connected?;
    let begun = Instant::now();
    let deadline = time.map(|time| begun + time);
    let all = async {
        let tasks: Vec<JoinHandle<_>> = connections
            .into_iter()
            .zip(scripts)
            .map(|(connection, script)| tokio::spawn(run_script(connection, script, deadline)))
            .collect();
        let mut part = Part {
            begun,
            ended: begun,
            latencies: Vec::new(),
            scripts: Vec::with_capacity(tasks.len()),
        };
        for task in tasks {
            let (script, latencies) = task.await.map_err(|e| format!("connection task: {e}"))??;
            part.latencies.extend(latencies);
            part.scripts.push(script);
        }
        part.ended = Instant::now();
        Ok(part)
    };
    let limit = time.unwrap_or_default() + TIMEOUT;
    runtime
        .block_on(async { tokio::time::timeout(limit, all).await })
        .unwrap_or_else(|_| Err(format!("the round did not end within {limit:?}")))
}

/// Creates a single-threaded runtime and opens `count` connections on it.
fn connect(server: SocketAddr, count: usize) -> Result<(Runtime, Vec<Connection>), String> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start a runtime for the load: {error}"))?;
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(runtime.block_on(Connection::open(server))?);
    }
    Ok((runtime, connections))
}

/// Runs one script on a connection.
async fn run_script(
    mut connection: Connection,
    mut script: Script,
    deadline: Option<Instant>,
) -> Result<(Script, Vec<u32>), String> {
    let mut latencies = Vec::new();
    let mut sent = Instant::now();
    while let Some(exchange) = script.current() {
        let (status, body) = connection.exchange(&exchange.request).await?;
        if status != b"200" || !exchange.is_expected(body) {
            return Err(format!(
                "unexpected answer: HTTP {} {}\n  expected: HTTP 200 {}\n  request: {}",
                String::from_utf8_lossy(status),
                String::from_utf8_lossy(body),
                String::from_utf8_lossy(&exchange.answer),
                String::from_utf8_lossy(&exchange.request),
            ));
        }
        script.advance(body);
        let now = Instant::now();
        latencies.push(u32::try_from((now - sent).as_micros()).unwrap_or(u32::MAX));
        if deadline.is_some_and(|deadline| now >= deadline) {
            break;
        }
        sent = now;
    }
    Ok((script, latencies))
}

/// A minimal HTTP/1.1 client connection.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(server: SocketAddr) -> Result<Connection, String> {
        let stream = TcpStream::connect(server)
            .await
            .map_err(|error| format!("cannot connect to {server}: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| format!("cannot connect to {server}: {error}"))?;
        Ok(Connection {
            stream,
            buffer: vec![0; MAX_RESPONSE],
        })
    }

    /// Sends a request and returns the status and body of the answer.
    async fn exchange(&mut self, request: &[u8]) -> Result<(&[u8], &[u8]), String> {
        let broken = |error| format!("connection failed: {error}");
        self.stream.write_all(request).await.map_err(broken)?;
        let mut filled = 0;
        let (head, end) = loop {
            let space = &mut self.buffer[filled..];
            match self.stream.read(space).await.map_err(broken)? {
                0 => return Err("the connection was closed, or the answer is too long".into()),
                more => filled += more,
            }
            if let Some((head, length)) = head_of(&self.buffer[..filled])?
                && filled >= head + length
            {
                break (head, head + length);
            }
        };
        if filled > end {
            return Err("received more than one answer".into());
        }
        Ok((&self.buffer[9..12], &self.buffer[head..end]))
    }
}

/// The lengths of the head, with its empty line, and of the body; `None` while the head is incomplete.
fn head_of(bytes: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    const NAME: &[u8] = b"content-length:";
    let length = bytes[..end]
        .split(|byte| *byte == b'\n')
        .filter(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))
        .find_map(|line| {
            std::str::from_utf8(&line[NAME.len()..])
                .ok()?
                .trim()
                .parse()
                .ok()
        });
    match length {
        Some(length) if end >= 12 => Ok(Some((end + 4, length))),
        _ => Err("the answer has no content-length".into()),
    }
}
