//! Reads the head of one request with the parser of actix-http, and applies its rules.

use std::mem::MaybeUninit;

use actix_web::http::Uri;
use httparse::{Header, Status};

use super::framing::{ChunkPosition, Framing};
use super::refusal;
use crate::gateway::dialect::RequestError;

/// The size of a head (bytes) that is too large: what actix-http holds at most.
pub(super) const MAX_HEAD: usize = 128 << 10;
/// The longest URL (bytes), after encoding: what actix-http accepts at most.
const MAX_URL: usize = 65_534;
/// The most headers: as many as actix-http accepts.
const MAX_HEADERS: usize = 96;
/// The longest name of a header (bytes). actix-http panics above 64 KiB.
const MAX_NAME: usize = 1024;

/// What stands at the start of received bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The beginning of a head.
    Partial,
    /// A head that is passed on.
    Whole {
        /// Its size (bytes).
        length: usize,
        /// How its body ends.
        framing: Framing,
        /// The head with its URL encoded, if it has to be.
        encoded: Option<Vec<u8>>,
    },
    /// Something that is refused.
    Refused(RequestError),
}

/// Reads a head, which must not start with an empty line.
pub(super) fn read(bytes: &[u8]) -> Head {
    match parse(bytes) {
        Parsed::Partial => Head::Partial,
        Parsed::Whole { length, framing } => Head::Whole {
            length,
            framing,
            encoded: None,
        },
        Parsed::Refused(error) => Head::Refused(error),
        Parsed::BadUrl => read_encoded(bytes),
    }
}

/// Reads a head whose URL has to be encoded.
fn read_encoded(bytes: &[u8]) -> Head {
    let mut encoded = encode_url(bytes);
    let grown = encoded.len() - bytes.len();
    if grown == 0 {
        return Head::Refused(RequestError::Malformed);
    }
    match parse(&encoded) {
        Parsed::Partial => Head::Partial,
        Parsed::Whole { length, .. } if length >= MAX_HEAD => {
            Head::Refused(RequestError::HeadTooLarge)
        }
        Parsed::Whole { length, framing } => {
            encoded.truncate(length);
            Head::Whole {
                length: length - grown,
                framing,
                encoded: Some(encoded),
            }
        }
        Parsed::Refused(error) => Head::Refused(error),
        Parsed::BadUrl => Head::Refused(RequestError::Malformed),
    }
}

/// Encodes the raw bytes of the URL in a request line.
fn encode_url(bytes: &[u8]) -> Vec<u8> {
    let space = |&byte: &u8| b" \r\n".contains(&byte);
    let start = bytes
        .iter()
        .position(space)
        .map_or(bytes.len(), |at| at + 1);
    let url = &bytes[start..];
    let end = start + url.iter().position(space).unwrap_or(url.len());
    let mut encoded = Vec::with_capacity(bytes.len() + 64);
    encoded.extend_from_slice(&bytes[..start]);
    for &byte in &bytes[start..end] {
        match is_raw(byte) {
            true => {
                encoded.extend_from_slice(percent_encoding::percent_encode_byte(byte).as_bytes())
            }
            false => encoded.push(byte),
        }
    }
    encoded.extend_from_slice(&bytes[end..]);
    encoded
}

/// Whether a client should have encoded a byte of a URL that actix-http does not read as it is.
fn is_raw(byte: u8) -> bool {
    !byte.is_ascii() || matches!(byte, b'"' | b'<' | b'>' | b'`')
}

enum Parsed {
    Partial,
    Whole {
        length: usize,
        framing: Framing,
    },
    /// The URL, or what stands in its place, has bytes that are not accepted.
    BadUrl,
    Refused(RequestError),
}

fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Parsed::Partial,
        Err(httparse::Error::Token) => return Parsed::BadUrl,
        Err(httparse::Error::TooManyHeaders) => {
            return Parsed::Refused(RequestError::HeadTooLarge);
        }
        Err(_) => return Parsed::Refused(RequestError::Malformed),
    };
    let (Some(method), Some(url), Some(version)) = (request.method, request.path, request.version)
    else {
        return Parsed::Refused(RequestError::Malformed);
    };
    // No short circuit: the compiler compares many bytes at once.
    let raw = url.bytes().fold(false, |raw, byte| raw | is_raw(byte));
    let checked = match url {
        _ if raw => return Parsed::BadUrl,
        _ if url.len() > MAX_URL => Err(RequestError::UrlTooLong),
        _ if url.starts_with('/') => Ok(()),
        _ => Uri::try_from(url).map_or(Err(RequestError::Malformed), |_| Ok(())),
    };
    let framing = checked.and_then(|()| check_method(method));
    match framing.and_then(|()| framing_of(method, version, request.headers)) {
        Ok(_) if length >= MAX_HEAD => Parsed::Refused(RequestError::HeadTooLarge),
        Ok(framing) => Parsed::Whole { length, framing },
        Err(error) => Parsed::Refused(error),
    }
}

fn check_method(method: &str) -> Result<(), RequestError> {
    let plain = method
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    match plain && method != refusal::METHOD {
        true => Ok(()),
        false => Err(RequestError::Malformed),
    }
}

/// How the body ends, by the rules of actix-http; what they leave open is refused.
fn framing_of(method: &str, version: u8, headers: &[Header<'_>]) -> Result<Framing, RequestError> {
    let (mut length, mut chunked, mut host, mut websocket) = (None, false, false, false);
    for Header { name, value } in headers {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is("host") => {
                if host {
                    return Err(RequestError::Malformed);
                }
                host = true;
            }
            7 if is("upgrade") => {
                websocket |= value.trim_ascii().eq_ignore_ascii_case(b"websocket")
            }
            14 if is("content-length") => {
                if length.is_some() {
                    return Err(RequestError::Malformed);
                }
                length = Some(digits(value).ok_or(RequestError::Malformed)?);
            }
            17 if is("transfer-encoding") => {
                let plain = version == 1 && value.trim_ascii().eq_ignore_ascii_case(b"chunked");
                if chunked || !plain {
                    return Err(RequestError::Malformed);
                }
                chunked = true;
            }
            MAX_NAME.. => return Err(RequestError::HeadTooLarge),
            _ => {}
        }
    }
    let no_host = version == 1 && !host;
    let no_length = version == 0 && method == "POST" && length.is_none();
    if no_host || no_length || (chunked && length.is_some()) {
        return Err(RequestError::Malformed);
    }
    Ok(match length {
        _ if chunked => Framing::Chunked(ChunkPosition::Start),
        _ if websocket => Framing::Endless,
        Some(length) if length > 0 => Framing::Length(length),
        _ if method == "CONNECT" => Framing::Endless,
        _ => Framing::Length(0),
    })
}

fn digits(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    let are_digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value)
        .ok()
        .filter(|_| are_digits)?
        .parse()
        .ok()
}
