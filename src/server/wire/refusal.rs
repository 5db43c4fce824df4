//! The request that stands for one which is no valid HTTP.

use actix_web::HttpRequest;

use crate::gateway::dialect::RequestError;

/// The HTTP method of such a request; no client can send it, because the filter refuses it.
pub(super) const METHOD: &str = "POINTGATE-REFUSED";
/// The header that says which error it is, by its HTTP status.
const STATUS: &str = "x-status";
/// The longest path that is kept (bytes).
const MAX_PATH: usize = 64;

/// All errors that the filter finds.
const ERRORS: [RequestError; 4] = [
    RequestError::Malformed,
    RequestError::Late,
    RequestError::UrlTooLong,
    RequestError::HeadTooLarge,
];

/// The request for the refusal of `head`, which keeps its path if that is plain, so that the answer is in the envelope of its protocol.
pub(super) fn request(error: RequestError, head: &[u8]) -> String {
    let path = path(head).unwrap_or("*");
    let status = error.status();
    format!(
        "{METHOD} {path} HTTP/1.1\r\nhost: -\r\nconnection: close\r\n{STATUS}: {status}\r\n\r\n"
    )
}

fn path(head: &[u8]) -> Option<&str> {
    let target = head.split(|&byte| byte == b' ').nth(1)?;
    let end = target.iter().position(|byte| b"?\r\n".contains(byte));
    let path = &target[..end.unwrap_or(target.len())];
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._".contains(byte);
    let plain = path.starts_with(b"/") && path.len() <= MAX_PATH && path.iter().all(is_plain);
    std::str::from_utf8(path).ok().filter(|_| plain)
}

/// The error that a request stands for; `None` for a client's own request.
pub fn error_of(request: &HttpRequest) -> Option<RequestError> {
    if request.method().as_str() != METHOD {
        return None;
    }
    let status = request.headers().get(STATUS)?.to_str().ok()?;
    let known = ERRORS
        .into_iter()
        .find(|it| it.status().to_string() == status);
    Some(known.unwrap_or(RequestError::Malformed))
}
