//! Reads a request's body within a size and a time limit.

use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;

use crate::gateway::dialect::BodyError;

/// The largest body, in bytes.
const MOST: usize = 1 << 20;
/// How many bytes of a larger body are still read and dropped, so that its sender gets to read the answer.
const DRAINED: usize = 16 << 20;
/// How long a body may take to arrive.
const WITHIN: Duration = Duration::from_secs(10);

/// Reads the whole body.
///
/// # Errors
/// Returns why there is none: it is too large, broken off, or slow.
pub async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, BodyError> {
    let has_body =
        request.headers().contains_key(CONTENT_LENGTH) || request.chunked().unwrap_or(true);
    if !has_body {
        return Ok(Bytes::new());
    }
    let whole = async {
        let mut body = BytesMut::new();
        let mut seen = 0;
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyError::Incomplete)?;
            seen += chunk.len();
            if seen <= MOST {
                body.extend_from_slice(&chunk);
            } else if seen > DRAINED {
                break;
            }
        }
        if seen > MOST {
            Err(BodyError::TooLarge)
        } else {
            Ok(body.freeze())
        }
    };
    tokio::time::timeout(WITHIN, whole)
        .await
        .unwrap_or(Err(BodyError::Incomplete))
}
