//! The load generator: keep-alive connections with one request at a time each, every answer compared byte by byte.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

pub(crate) use crate::stock::CONNECTIONS;
use crate::stock::Lane;

/// Threads that serve them; few, since they share the cores with the server.
const THREADS: usize = 2;
/// The longest head and body that are read.
const LONGEST: usize = 4096;
/// How long a round may take beyond its time, or where it has none.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of a round.
pub(crate) struct Round {
    /// Right answers.
    pub(crate) done: usize,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// From each request to its answer, in microseconds, in no order.
    pub(crate) latencies: Vec<u32>,
}

impl Round {
    /// Right answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }
}

/// Sends the lanes, a connection each, until `time` is over or they are at their end, and gives them back.
pub(crate) fn run(
    server: SocketAddr,
    lanes: Vec<Lane>,
    time: Option<Duration>,
) -> Result<(Round, Vec<Lane>), String> {
    let barrier = Barrier::new(THREADS);
    let share = lanes.len().div_ceil(THREADS);
    let mut rest = lanes;
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
        return Err("a round without a thread".into());
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
    Ok((round, parts.into_iter().flat_map(|p| p.lanes).collect()))
}

/// One thread's part of a round.
struct Part {
    begun: Instant,
    ended: Instant,
    latencies: Vec<u32>,
    lanes: Vec<Lane>,
}

fn thread(
    server: SocketAddr,
    lanes: Vec<Lane>,
    time: Option<Duration>,
    barrier: &Barrier,
) -> Result<Part, String> {
    let connected = connect(server, lanes.len());
    // Also where a connection failed, or the other threads would wait for ever.
    barrier.wait();
    let (runtime, connections) = connected?;
    let begun = Instant::now();
    let deadline = time.map(|time| begun + time);
    let all = async {
        let tasks: Vec<JoinHandle<_>> = connections
            .into_iter()
            .zip(lanes)
            .map(|(connection, lane)| tokio::spawn(drive(connection, lane, deadline)))
            .collect();
        let mut part = Part {
            begun,
            ended: begun,
            latencies: Vec::new(),
            lanes: Vec::with_capacity(tasks.len()),
        };
        for task in tasks {
            let (lane, latencies) = task.await.map_err(|e| format!("a connection: {e}"))??;
            part.latencies.extend(latencies);
            part.lanes.push(lane);
        }
        part.ended = Instant::now();
        Ok(part)
    };
    let limit = time.unwrap_or_default() + PATIENCE;
    runtime
        .block_on(async { tokio::time::timeout(limit, all).await })
        .unwrap_or_else(|_| Err(format!("no end of a round after {limit:?}")))
}

/// A runtime of this thread's own and connections on it.
fn connect(server: SocketAddr, count: usize) -> Result<(Runtime, Vec<Connection>), String> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime for the load: {error}"))?;
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(runtime.block_on(Connection::open(server))?);
    }
    Ok((runtime, connections))
}

/// Sends one lane.
async fn drive(
    mut connection: Connection,
    mut lane: Lane,
    deadline: Option<Instant>,
) -> Result<(Lane, Vec<u32>), String> {
    let mut latencies = Vec::new();
    let mut sent = Instant::now();
    while let Some(exchange) = lane.current() {
        let (status, body) = connection.exchange(&exchange.request).await?;
        if status != b"200" || !exchange.is_right(body) {
            return Err(format!(
                "a wrong answer: HTTP {} {}\n  where this is right: HTTP 200 {}\n  to: {}",
                String::from_utf8_lossy(status),
                String::from_utf8_lossy(body),
                String::from_utf8_lossy(&exchange.answer),
                String::from_utf8_lossy(&exchange.request),
            ));
        }
        lane.advance(body);
        let now = Instant::now();
        latencies.push(u32::try_from((now - sent).as_micros()).unwrap_or(u32::MAX));
        if deadline.is_some_and(|deadline| now >= deadline) {
            break;
        }
        sent = now;
    }
    Ok((lane, latencies))
}

/// HTTP/1.1 as far as it is needed.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(server: SocketAddr) -> Result<Connection, String> {
        let stream = TcpStream::connect(server)
            .await
            .map_err(|error| format!("no connection to {server}: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| format!("no connection to {server}: {error}"))?;
        Ok(Connection {
            stream,
            buffer: vec![0; LONGEST],
        })
    }

    /// Sends a request and gives the status and body of its answer.
    async fn exchange(&mut self, request: &[u8]) -> Result<(&[u8], &[u8]), String> {
        let broken = |error| format!("a connection broke: {error}");
        self.stream.write_all(request).await.map_err(broken)?;
        let mut filled = 0;
        let (head, end) = loop {
            let space = &mut self.buffer[filled..];
            match self.stream.read(space).await.map_err(broken)? {
                0 => return Err("a connection was closed, or an answer is too long".into()),
                more => filled += more,
            }
            if let Some((head, length)) = head_of(&self.buffer[..filled])?
                && filled >= head + length
            {
                break (head, head + length);
            }
        };
        if filled > end {
            return Err("more came than one answer".into());
        }
        Ok((&self.buffer[9..12], &self.buffer[head..end]))
    }
}

/// The length of the head, its empty line included, and that of the body; none where the head is not complete.
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
        _ => Err("an answer without a length".into()),
    }
}
