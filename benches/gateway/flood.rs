//! What a request costs the server whose sender proves nothing: many parameters, none of them signed. Ten ordinary requests should
//! cost more.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::protocol;
use crate::report;
use crate::servers::Server;

/// The unsigned requests of a round.
const FLOODED: usize = 300;
/// The ordinary requests of a round.
const ORDINARY: usize = 10_000;

/// A request, the start of its answer, and how often a round sends it.
struct Load {
    request: Vec<u8>,
    status: &'static str,
    times: usize,
}

/// Compares the processor time of the server for each kind of flood with that for ten ordinary requests, in alternating rounds.
pub(crate) fn bench(rounds: usize) -> Result<(), String> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .map_err(|error| format!("cannot create a directory: {error}"))?;
    let server = Server::pointgate(folder.path(), "sqlite://data/pointgate.db")?;
    let ordinary = Load {
        request: protocol::total_request(1),
        status: "HTTP/1.1 200 ",
        times: ORDINARY,
    };
    for (name, request, status) in [
        ("1 MiB of a& as a form", form(1 << 20), "HTTP/1.1 413 "),
        ("64 KiB of a& as a form", form(64 << 10), "HTTP/1.1 200 "),
        ("60 KB of a& as a query", query(60_000), "HTTP/1.1 200 "),
    ] {
        let flood = Load {
            request,
            status,
            times: FLOODED,
        };
        let mut ratios = Vec::new();
        for _ in 0..=rounds {
            let ten = cost(&server, &ordinary)? * 10.0;
            ratios.push(cost(&server, &flood)? / ten);
        }
        // The first round is the warm-up.
        report::flood(name, &ratios[1..]);
    }
    server.stop()
}

fn form(size: usize) -> Vec<u8> {
    let form = "a&".repeat(size / 2);
    let kind = "Content-Type: application/x-www-form-urlencoded";
    format!("POST /gateway HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}\r\nContent-Length: {size}\r\n\r\n{form}")
        .into_bytes()
}

fn query(size: usize) -> Vec<u8> {
    let query = "a&".repeat(size / 2);
    format!("GET /gateway?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// The processor time (s) of the server for one request of a load, which is sent on one connection, one request after the other.
fn cost(server: &Server, load: &Load) -> Result<f64, String> {
    let broken = |error| format!("connection failed: {error}");
    let stream = TcpStream::connect(server.address).map_err(broken)?;
    stream.set_nodelay(true).map_err(broken)?;
    let mut answers = BufReader::new(stream.try_clone().map_err(broken)?);
    let mut requests = stream;
    let before = server.processor_time()?;
    for _ in 0..load.times {
        requests.write_all(&load.request).map_err(broken)?;
        let (status, body) = answer(&mut answers).map_err(broken)?;
        if !status.starts_with(load.status) || body.is_empty() {
            return Err(format!("unexpected answer: {status} {body}"));
        }
    }
    Ok((server.processor_time()? - before) / load.times as f64)
}

/// Reads an answer: its status line and its body.
fn answer(stream: &mut impl BufRead) -> std::io::Result<(String, String)> {
    let mut status = String::new();
    stream.read_line(&mut status)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
