//! The second place of checkpoints behind a URL: GET answers the last one, POST takes the next.
//!
//! One request on one connection, once a day: no library for more is worth its code here.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use crate::ledger::proof::note::Note;
use crate::ledger::upkeep::seal::SealError;
use crate::ledger::upkeep::seal::witness::Witness;
use crate::tls;

/// The time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The most bytes of an answer.
const MOST_BYTES: u64 = 256 << 10;
/// The most headers of an answer.
const MOST_HEADERS: usize = 100;

/// A place behind a URL, which may hold a password: no message shows more than its host.
pub struct WitnessUrl(Url);

/// The answer to a request.
struct Answer {
    status: u16,
    body: String,
}

impl WitnessUrl {
    /// The place at a URL of the configuration.
    pub fn at(url: &str) -> Option<WitnessUrl> {
        Url::parse(url).ok().map(WitnessUrl)
    }

    fn failed(&self, why: impl std::fmt::Display) -> SealError {
        let host = self.0.host_str().unwrap_or_default();
        SealError::Witness(format!("the witness at {host}: {why}"))
    }

    async fn send(&self, method: &str, body: &str) -> Result<Answer, SealError> {
        let sent = tokio::time::timeout(TIMEOUT, self.exchange(method, body)).await;
        let sent = sent.map_err(|_| self.failed(format_args!("no answer within {TIMEOUT:?}")))?;
        sent.map_err(|error| self.failed(error))
    }

    async fn exchange(&self, method: &str, body: &str) -> io::Result<Answer> {
        let host = self.0.host_str().unwrap_or_default();
        // Brackets belong to the URL alone.
        let host = host.trim_matches(['[', ']']);
        let port = self.0.port_or_known_default().unwrap_or_default();
        let tcp = TcpStream::connect((host, port)).await?;
        let request = self.request(method, body);
        match self.0.scheme() {
            "https" => talk(tls::connect(tcp, host).await?, &request).await,
            _ => talk(tcp, &request).await,
        }
    }

    fn request(&self, method: &str, body: &str) -> String {
        let url = &self.0;
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map_or(String::new(), |port| format!(":{port}"));
        let query = url
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        let mut lines = format!(
            "{method} {}{query} HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: pointgate\r\nAccept: text/plain\r\nConnection: close\r\n",
            url.path()
        );
        if let Some(password) = url.password() {
            let decoded = |text: &str| {
                let text = percent_encoding::percent_decode_str(text);
                text.decode_utf8_lossy().into_owned()
            };
            let pair = format!("{}:{}", decoded(url.username()), decoded(password));
            lines += &format!("Authorization: Basic {}\r\n", STANDARD.encode(pair));
        }
        if method == "POST" {
            let length = body.len();
            lines +=
                &format!("Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n");
        }
        format!("{lines}\r\n{body}")
    }
}

impl Witness for WitnessUrl {
    fn last(&self) -> BoxFuture<'_, Result<Option<Note>, SealError>> {
        async {
            let answer = self.send("GET", "").await?;
            match (answer.status, answer.body.trim().is_empty()) {
                (404, _) | (200, true) => Ok(None),
                (200, false) => {
                    let note = Note::parse(&answer.body);
                    note.map(Some).map_err(|why| self.failed(why))
                }
                (status, _) => Err(self.failed(format_args!("GET is answered with {status}"))),
            }
        }
        .boxed()
    }

    fn publish<'a>(&'a self, note: &'a str) -> BoxFuture<'a, Result<(), SealError>> {
        async move {
            match self.send("POST", note).await?.status {
                200..=299 => Ok(()),
                status => Err(self.failed(format_args!("POST is answered with {status}"))),
            }
        }
        .boxed()
    }
}

/// Sends a request and reads the answer to its end.
async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
) -> io::Result<Answer> {
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    let read = stream.take(MOST_BYTES + 1).read_to_end(&mut bytes).await;
    match (read, read_answer(&bytes)) {
        // A peer that closes without a word of TLS is fine once the answer is whole.
        (_, Some(answer)) if bytes.len() as u64 <= MOST_BYTES => Ok(answer),
        (Err(error), _) => Err(error),
        (Ok(_), _) => Err(io::Error::other(
            "the answer is no HTTP, or not whole, or too long",
        )),
    }
}

/// Reads a whole answer; `None` if it is anything else.
fn read_answer(bytes: &[u8]) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(bytes).ok()? else {
        return None;
    };
    let header = |name: &str| {
        let found = head.headers.iter();
        let mut found = found.filter(|header| header.name.eq_ignore_ascii_case(name));
        found
            .next()
            .and_then(|it| std::str::from_utf8(it.value).ok())
    };
    let rest = bytes.get(start..)?;
    let body = match (header("transfer-encoding"), header("content-length")) {
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => unchunked(rest)?,
        (Some(_), _) => return None,
        (None, Some(length)) => rest.get(..length.trim().parse().ok()?)?.to_vec(),
        // A cut-off answer is no note, which ends with its signatures.
        (None, None) => rest.to_vec(),
    };
    Some(Answer {
        status: head.code?,
        body: String::from_utf8(body).ok()?,
    })
}

/// The body of a chunked answer; `None` if it is cut off.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(rest) else {
            return None;
        };
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(start..end)?);
        rest = rest.get(end..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_credentials_and_no_url() {
        let url = WitnessUrl::at("https://me:p%40ss@example.com:8443/a/b?c=d").unwrap();
        let request = url.request("POST", "note");
        assert_eq!(
            request,
            "POST /a/b?c=d HTTP/1.1\r\nHost: example.com:8443\r\nUser-Agent: pointgate\r\nAccept: text/plain\r\nConnection: close\r\n\
             Authorization: Basic bWU6cEBzcw==\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n\r\nnote"
        );
        let shown = url.failed("why").to_string();
        assert_eq!(shown, "the witness at example.com: why");
    }

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let read = |text: &str| read_answer(text.as_bytes()).map(|it| (it.status, it.body));
        for (text, status, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, "ab"),
            ("HTTP/1.1 404 Not Found\r\n\r\nno", 404, "no"),
            ("HTTP/1.0 200 OK\r\n\r\n", 200, ""),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
                200,
                "abc",
            ),
        ] {
            assert_eq!(read(text), Some((status, body.to_owned())), "{text}");
        }
        for text in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab",
            "SSH-2.0-x\r\n\r\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(read_answer(b"HTTP/1.1 200 OK\r\n\r\n\xff").is_none());
    }
}
