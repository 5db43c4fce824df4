//! A dialect: what stands on the wire around a method.

use std::net::IpAddr;

use ipnet::IpNet;

use super::fault::{CallError, Fault};
use super::method::Reply;
use super::params::{Parameters, Refusals};

/// A request as it came over the wire.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The part of the URL before `?`.
    pub path: &'a str,
    /// The part of the URL behind `?`, still encoded.
    pub query: &'a str,
    /// The body's type, where the request has one.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// What the header `X-Pingplusplus-Signature` says, for methods that are signed so.
    pub signature: Option<&'a str>,
    /// The addresses that are named as the client's: one as a rule, none where an unknown proxy stands between. Only
    /// what holds for all of them holds for the client.
    pub from: &'a [IpAddr],
}

/// What a method may learn of a request beside its parameters, where its dialect has no partners to tell apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// The sender's own name for the request, under which it may come again: a message's id. None over HTTP.
    pub id: Option<String>,
    /// The body as it came and its signature, for a method that is signed otherwise than its dialect.
    pub raw: Option<(Vec<u8>, String)>,
}

/// Whether a client whose address is one of these is surely within these networks.
pub fn within(addresses: &[IpAddr], networks: &[IpNet]) -> bool {
    let inside = |address: &IpAddr| {
        let address = address.to_canonical();
        networks.iter().any(|network| network.contains(&address))
    };
    !addresses.is_empty() && addresses.iter().all(inside)
}

/// A request that has been opened and found genuine.
#[derive(Clone, Debug)]
pub struct Call<C> {
    /// The method that it names.
    pub method: Option<String>,
    /// Who calls, and what else a method must know of the request beside its parameters.
    pub caller: C,
    /// Its parameters.
    pub parameters: Parameters,
}

/// An answer as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// HTTP's status.
    pub status: u16,
    /// The code in the envelope, for the log.
    pub code: i64,
    /// The envelope.
    pub body: String,
}

/// One wire protocol: it knows bytes, signatures and codes, and no method.
pub trait Dialect: Refusals + Send + Sync {
    /// What its methods learn of who calls.
    type Caller: Send + 'static;

    /// Checks a request and takes it out of its envelope.
    ///
    /// # Errors
    /// The dialect's refusal.
    fn open(&self, request: &Request<'_>) -> Result<Call<Self::Caller>, Fault>;

    /// Puts an outcome into its envelope.
    fn seal(&self, outcome: Result<Reply, CallError>) -> Sealed;

    /// The refusal of a call that names no method (`None`) or one that does not exist.
    fn no_method(&self, named: Option<&str>) -> Fault;

    /// Whether the caller may call the method of this registered name.
    ///
    /// # Errors
    /// The dialect's refusal.
    fn permit(&self, _caller: &Self::Caller, _method: &'static str) -> Result<(), Fault> {
        Ok(())
    }

    /// The answer to a body larger than the limit.
    fn too_large(&self) -> Sealed;

    /// The answer to a body that did not come, or not in time.
    fn unreadable(&self) -> Sealed;
}
