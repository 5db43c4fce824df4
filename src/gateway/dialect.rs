//! A dialect: what stands on the wire around a method.

use std::net::IpAddr;

use super::context::RequestId;
use super::fault::{CallError, Fault};
use super::parameters::Parameters;
use super::params::ParameterFaults;
use super::reply::Reply;

/// A request as it came over HTTP.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Its id, which stands in the answer and in every log line about it.
    pub id: &'a RequestId,
    /// When it arrived (ms since 1970 UTC).
    pub now: i64,
    /// The part of the URL before `?`.
    pub path: &'a str,
    /// The part of the URL behind `?`, still encoded.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a dyn Headers,
    /// The body.
    pub body: &'a [u8],
    /// The addresses that are named as the client's: one as a rule, none if an unknown proxy stands between. Only what holds for
    /// all of them holds for the client.
    pub addresses: &'a [IpAddr],
}

/// The headers of a request.
pub trait Headers: Send + Sync {
    /// The first value under a name in any case of letters; `None` where there is none, or where it is not visible ASCII.
    fn get(&self, name: &str) -> Option<&str>;
}

impl<const N: usize> Headers for [(&str, &str); N] {
    fn get(&self, name: &str) -> Option<&str> {
        let named = |(known, _): &&(&str, &str)| known.eq_ignore_ascii_case(name);
        self.iter().find(named).map(|(_, value)| *value)
    }
}

/// A request that has been opened and found genuine.
#[derive(Clone, Debug)]
pub struct Call<D> {
    /// The method that it names.
    pub method: Option<String>,
    /// Its parameters.
    pub parameters: Parameters,
    /// The authenticated caller.
    pub caller: String,
    /// Which of the caller's keys signed it.
    pub key: Option<&'static str>,
    /// What else its methods must know.
    pub details: D,
}

/// An answer as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's status.
    pub status: u16,
    /// The code in the envelope, for the log and the metrics.
    pub code: i64,
    /// The envelope.
    pub body: String,
}

/// Why a request has no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It did not come whole, or not in time.
    Incomplete,
}

/// One wire protocol: it knows bytes, signatures and codes, and no method.
pub trait Dialect: ParameterFaults + Send + Sync + 'static {
    /// What it adds to the context of its methods.
    type Details: Send + 'static;

    /// Verifies a request and takes it out of its envelope.
    ///
    /// # Errors
    /// Returns the dialect's refusal of a request that is malformed or not genuine.
    fn open(&self, request: &Request<'_>) -> Result<Call<Self::Details>, Fault>;

    /// Puts an outcome into the envelope.
    fn seal(&self, outcome: Result<Reply, CallError>) -> Answer;

    /// The refusal of a call that names no method (`None`) or an unknown one.
    fn unknown_method(&self, named: Option<&str>) -> Fault;

    /// Checks that the caller may call the method of this registered name.
    ///
    /// # Errors
    /// Returns the dialect's refusal if it may not.
    fn permit(&self, _details: &Self::Details, _method: &'static str) -> Result<(), Fault> {
        Ok(())
    }

    /// The answer to a request without a readable body.
    fn unreadable_body(&self, error: BodyError) -> Answer;
}
