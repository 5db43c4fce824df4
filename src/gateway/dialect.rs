//! A dialect: one wire protocol, from the bytes of a request to a call, and from an outcome to the bytes of the answer.

use std::net::IpAddr;
use std::sync::Arc;

use super::context::RequestId;
use super::fault::{CallError, Fault};
use super::parameters::Parameters;
use super::params::ParameterFaults;
use super::permissions::{Permissions, Refusal};
use super::reply::Reply;

/// A request that arrived over HTTP.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The request id, which the answer and every log line about the request carry.
    pub id: &'a RequestId,
    /// The time of arrival (ms since 1970 UTC).
    pub now: i64,
    /// The path of the route that the request reached, whatever slashes the URL has.
    pub path: &'a str,
    /// The query of the URL, after `?`, still percent-encoded.
    pub query: &'a str,
    /// The headers, for dialects that read some.
    pub headers: &'a dyn Headers,
    /// The whole body; empty without one.
    pub body: &'a [u8],
    /// The possible addresses of the client: usually one; several if headers of a trusted proxy contradict each other; none if an
    /// untrusted proxy forwarded the request. A permission by address must hold for all of them.
    pub addresses: &'a [IpAddr],
}

/// Access to the headers of a request, whatever library parsed them.
pub trait Headers: Send + Sync {
    /// The first value of a header, whose name is case-insensitive; `None` if it is missing or not visible ASCII.
    fn get(&self, name: &str) -> Option<&str>;
}

impl<const N: usize> Headers for [(&str, &str); N] {
    fn get(&self, name: &str) -> Option<&str> {
        let has_name = |(known, _): &&(&str, &str)| known.eq_ignore_ascii_case(name);
        self.iter().find(has_name).map(|(_, value)| *value)
    }
}

/// An authenticated request, taken out of its envelope.
#[derive(Clone, Debug)]
pub struct Call<'a, D> {
    /// The name of the method; `None` if the request has none.
    pub method: Option<String>,
    /// The parameters, not yet validated.
    pub parameters: Parameters<'a>,
    /// The caller: see [`Origin::caller`](super::context::Origin::caller).
    pub caller: String,
    /// The key that proved the caller: see [`Origin::key`](super::context::Origin::key).
    pub key: Option<&'static str>,
    /// What the caller may do; `None` = everything.
    pub permissions: Option<Arc<Permissions>>,
    /// What the dialect adds to the context of its methods.
    pub details: D,
}

/// An answer, ready for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The code of the outcome, for the log and the metrics; most envelopes contain it.
    pub code: i64,
    /// The envelope, as JSON.
    pub body: String,
}

/// Why a request is refused before its dialect reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The request line or a header is no valid HTTP.
    Malformed,
    /// The connection broke before the end of the body, the body took too long, or it is not compressed as it says.
    Incomplete,
    /// A proxy forwarded the request while a sample secret, which everybody knows, is in use.
    Forwarded,
    /// The path does not have this HTTP method.
    Method,
    /// The header block took too long.
    Late,
    /// The body is larger than the limit.
    TooLarge,
    /// The URL is longer than the limit.
    UrlTooLong,
    /// The body is compressed in a way that the server does not read.
    Encoding,
    /// The header block is larger than the limit.
    HeadTooLarge,
    /// Too many bytes of bodies are waiting for their ends.
    Busy,
}

impl RequestError {
    /// The HTTP status of the answer.
    pub fn status(self) -> u16 {
        match self {
            RequestError::Malformed | RequestError::Incomplete => 400,
            RequestError::Forwarded => 403,
            RequestError::Method => 405,
            RequestError::Late => 408,
            RequestError::TooLarge => 413,
            RequestError::UrlTooLong => 414,
            RequestError::Encoding => 415,
            RequestError::HeadTooLarge => 431,
            RequestError::Busy => 503,
        }
    }

    /// The message in the envelope.
    pub fn message(self) -> &'static str {
        match self {
            RequestError::Malformed => "请求格式不对",
            RequestError::Incomplete => "参数格式不对",
            RequestError::Forwarded => "示例密钥不接受代理转发的请求",
            RequestError::Method => "不支持的请求方法",
            RequestError::Late => "请求超时",
            RequestError::TooLarge => "请求体过大",
            RequestError::UrlTooLong => "请求地址过长",
            RequestError::Encoding => "不支持的压缩格式",
            RequestError::HeadTooLarge => "请求头过大",
            RequestError::Busy => "系统繁忙",
        }
    }
}

/// One wire protocol. It knows bytes, signatures and codes, and no method.
pub trait Dialect: ParameterFaults + Send + Sync + 'static {
    /// What the dialect adds to the context of its methods.
    type Details: Send + 'static;

    /// Authenticates a request and takes it out of its envelope.
    ///
    /// # Errors
    /// Returns the dialect's fault for a malformed or unauthenticated request.
    fn open<'a>(&self, request: &Request<'a>) -> Result<Call<'a, Self::Details>, Fault>;

    /// The largest body (bytes) of a request with this query. A sender is authenticated only after its body has been read.
    fn max_body(&self, query: &str) -> usize;

    /// Puts the outcome of a request that arrived at `now` (ms since 1970 UTC) into the envelope.
    fn seal(&self, outcome: Result<Reply, CallError>, now: i64) -> Answer;

    /// The fault for a call without a method (`None`) or of an unknown one.
    fn unknown_method(&self, method: Option<&str>) -> Fault;

    /// The fault for a call that the caller's permissions refuse.
    fn refused(&self, refusal: Refusal) -> Fault;

    /// The answer to a request that is refused before the dialect reads it.
    fn refuse_request(&self, error: RequestError) -> Answer;
}
