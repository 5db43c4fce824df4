//! Reads the body of a request, within limits of size and time.

use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;

use crate::gateway::dialect::BodyError;

/// The largest accepted body (bytes).
const MAX_BODY: usize = 1 << 20;
/// The size up to which a larger body is read and discarded (bytes), so that its sender is able to read the answer.
const MAX_DRAINED: usize = 16 << 20;
/// The time limit for the whole body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the whole body.
///
/// # Errors
/// Returns [`BodyError::TooLarge`] above 1 MiB, [`BodyError::Incomplete`] if the connection breaks or 10 s pass before the end.
pub async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, BodyError> {
    let has_body =
        request.headers().contains_key(CONTENT_LENGTH) || request.chunked().unwrap_or(true);
    if !has_body {
        return Ok(Bytes::new());
    }
    let whole = async {
        let mut body = BytesMut::new();
        let mut received = 0;
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyError::Incomplete)?;
            received += chunk.len();
            if received <= MAX_BODY {
                body.extend_from_slice(&chunk);
            } else if received > MAX_DRAINED {
                break;
            }
        }
        if received > MAX_BODY {
            Err(BodyError::TooLarge)
        } else {
            Ok(body.freeze())
        }
    };
    tokio::time::timeout(BODY_TIMEOUT, whole)
        .await
        .unwrap_or(Err(BodyError::Incomplete))
}
