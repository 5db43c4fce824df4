//! Reads the body of a request, within limits of size and time, and inflates it.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::web::{BytesMut, Payload};
use actix_web::{HttpMessage, HttpRequest};
use flate2::bufread::GzDecoder;
use futures_util::StreamExt;

use crate::gateway::dialect::RequestError;

/// The most bytes that all bodies together may hold while they are read and answered. The HTTP layer's own buffers come on top, of
/// about 50 KiB for each connection with an unfinished body.
const MAX_BUFFERED: usize = 16 << 20;
/// The size up to which a larger body is read and discarded (bytes), so that its sender is able to read the answer.
const MAX_DRAINED: usize = 16 << 20;
/// The most bytes that a body gets room for before they arrive.
const FIRST_CAPACITY: usize = 16 << 10;
/// The time limit for the whole body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Counts the bytes that bodies hold, so that many unfinished ones do not fill the memory.
#[derive(Debug, Default)]
pub struct Buffered(AtomicUsize);

/// A body, which counts among the buffered bytes until it is dropped.
pub struct Body<'b> {
    bytes: BytesMut,
    buffered: &'b Buffered,
    counted: usize,
}

impl<'b> Body<'b> {
    fn new(buffered: &'b Buffered, capacity: usize) -> Body<'b> {
        Body {
            bytes: BytesMut::with_capacity(capacity),
            buffered,
            counted: 0,
        }
    }

    /// The received bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), RequestError> {
        let before = self.buffered.0.fetch_add(chunk.len(), Ordering::Relaxed);
        self.counted += chunk.len();
        if before + chunk.len() > MAX_BUFFERED {
            return Err(RequestError::Busy);
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

impl Drop for Body<'_> {
    fn drop(&mut self) {
        self.buffered.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

/// Whether a request announces a body.
pub fn is_announced(request: &HttpRequest) -> bool {
    request.headers().contains_key(CONTENT_LENGTH) || request.chunked().unwrap_or(true)
}

/// Reads the whole body of at most `max` bytes, as it arrives and inflated.
///
/// # Errors
/// Returns [`RequestError::TooLarge`] above `max`, [`RequestError::Incomplete`] if the connection breaks or 10 s pass before the end,
/// or if the body is no valid gzip although it says so, [`RequestError::Encoding`] for another compression, [`RequestError::Busy`] if
/// all bodies together hold more than 16 MiB.
pub async fn read<'b>(
    request: &HttpRequest,
    payload: Payload,
    max: usize,
    buffered: &'b Buffered,
) -> Result<Body<'b>, RequestError> {
    if !is_announced(request) {
        return Ok(Body::new(buffered, 0));
    }
    let is_gzip = is_gzip(request)?;
    let body = receive(request, payload, max, buffered).await?;
    match is_gzip && !body.bytes().is_empty() {
        true => inflate(&body, max, buffered),
        false => Ok(body),
    }
}

/// Whether the body is compressed with gzip, the only compression that is read.
fn is_gzip(request: &HttpRequest) -> Result<bool, RequestError> {
    let mut gzip = false;
    for coding in request.headers().get_all(CONTENT_ENCODING) {
        let coding = coding.as_bytes().to_ascii_lowercase();
        match coding.trim_ascii() {
            b"" | b"identity" => {}
            b"gzip" | b"x-gzip" if !gzip => gzip = true,
            _ => return Err(RequestError::Encoding),
        }
    }
    Ok(gzip)
}

/// Inflates a body step by step: a small one may stand for gigabytes.
fn inflate<'b>(
    compressed: &Body<'_>,
    max: usize,
    buffered: &'b Buffered,
) -> Result<Body<'b>, RequestError> {
    let mut plain = Body::new(buffered, max.min(FIRST_CAPACITY));
    let mut gzip = GzDecoder::new(compressed.bytes());
    let mut step = [0; 8 << 10];
    loop {
        let count = gzip.read(&mut step).map_err(|_| RequestError::Incomplete)?;
        if count == 0 {
            break;
        }
        if plain.bytes.len() + count > max {
            return Err(RequestError::TooLarge);
        }
        plain.push(&step[..count])?;
    }
    match gzip.into_inner() {
        [] => Ok(plain),
        _ => Err(RequestError::Incomplete),
    }
}

/// Reads the body as it arrives.
async fn receive<'b>(
    request: &HttpRequest,
    mut payload: Payload,
    max: usize,
    buffered: &'b Buffered,
) -> Result<Body<'b>, RequestError> {
    let length = request.headers().get(CONTENT_LENGTH);
    // A large body grows: one that is refused midway then leaves room that others use, instead of its whole announced size.
    let length = length.and_then(|it| it.to_str().ok()?.parse().ok());
    let mut body = Body::new(buffered, length.unwrap_or(0).min(max).min(FIRST_CAPACITY));
    let whole = async {
        let mut received = 0;
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| RequestError::Incomplete)?;
            received += chunk.len();
            if received <= max {
                body.push(&chunk)?;
            } else if received > MAX_DRAINED {
                break;
            }
        }
        match received > max {
            true => Err(RequestError::TooLarge),
            false => Ok(body),
        }
    };
    tokio::time::timeout(BODY_TIMEOUT, whole)
        .await
        .unwrap_or(Err(RequestError::Incomplete))
}
