//! The origin of an HTTP request behind reverse proxies: the client's address and the request id.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderName, HeaderValue, X_FORWARDED_FOR};
use ipnet::IpNet;

use crate::gateway::context::RequestId;

/// The header with the request id, in requests from trusted proxies and in every answer.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The beginnings of the names of headers that proxies add.
const FORWARDING: [&str; 8] = [
    "forwarded",
    "x-forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "via",
];

/// Whether a request carries a header that proxies add.
pub fn is_forwarded(request: &HttpRequest) -> bool {
    let adds = |name: &HeaderName| FORWARDING.iter().any(|it| name.as_str().starts_with(it));
    request.headers().keys().any(adds)
}

/// The trusted reverse proxies: only their forwarding headers and request ids count.
#[derive(Clone, Debug)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Trusts the proxies in these networks, from `server.trusted_proxies`.
    pub fn new(trusted: Vec<IpNet>) -> Proxies {
        Proxies(trusted)
    }

    /// The request id that a trusted proxy gave: `X-Request-Id`, otherwise the trace id of a W3C `traceparent`.
    pub fn request_id(&self, request: &HttpRequest) -> Option<RequestId> {
        let peer = request.peer_addr()?.ip().to_canonical();
        if !self.trusts(&peer) {
            return None;
        }
        let text = |name: &HeaderName| request.headers().get(name)?.to_str().ok();
        let trace = || text(&TRACEPARENT)?.split('-').nth(1);
        let given = text(&X_REQUEST_ID).and_then(RequestId::new);
        given.or_else(|| RequestId::new(trace()?))
    }

    /// The possible addresses of the client. Without a forwarding header it is the peer's address. A forwarding header from an
    /// untrusted peer leaves none. From a trusted proxy, each kind of header gives one, because the proxy may pass through a kind
    /// that the client wrote.
    pub fn client_addresses(&self, request: &HttpRequest) -> Vec<IpAddr> {
        let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else {
            return Vec::new();
        };
        let values = |name: &HeaderName| -> Vec<String> {
            let lines = request.headers().get_all(name);
            let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            lines.map(text).collect()
        };
        let chains = [
            chain(&values(&X_FORWARDED_FOR), parse_address),
            chain(&values(&X_REAL_IP), parse_address),
            chain(&values(&FORWARDED), parse_forwarded),
        ];
        self.clients(peer, chains.into_iter().flatten())
    }

    /// Picks the client from each chain: the addresses in one kind of header, the client's side first.
    fn clients(
        &self,
        peer: IpAddr,
        chains: impl Iterator<Item = Vec<Option<IpAddr>>>,
    ) -> Vec<IpAddr> {
        let mut clients = Vec::new();
        for chain in chains {
            if !self.trusts(&peer) {
                return Vec::new();
            }
            // Each trusted proxy vouches for the address before its own, so the last untrusted address is the client's.
            let client = chain
                .iter()
                .rev()
                .find(|address| address.is_none_or(|ip| !self.trusts(&ip)));
            match client.or(chain.first()) {
                Some(&Some(address)) => clients.push(address),
                Some(None) | None => return Vec::new(),
            }
        }
        if clients.is_empty() {
            clients.push(peer);
        }
        clients
    }

    fn trusts(&self, address: &IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// Parses the addresses in one kind of header; `None` without such a header, `None` for an address that does not parse.
fn chain(lines: &[String], parse: fn(&str) -> Option<IpAddr>) -> Option<Vec<Option<IpAddr>>> {
    let hops = || lines.iter().flat_map(|line| line.split(','));
    (!lines.is_empty()).then(|| hops().map(|hop| parse(hop.trim())).collect())
}

/// Parses `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:4711`.
fn parse_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim_matches('"');
    let address = match hop.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None if hop.matches(':').count() == 1 => hop.split(':').next()?,
        None => hop,
    };
    address.parse().ok().map(|ip: IpAddr| ip.to_canonical())
}

/// Parses an element of RFC 7239, such as `for=203.0.113.7;proto=https`.
fn parse_forwarded(hop: &str) -> Option<IpAddr> {
    let client = hop.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    });
    parse_address(client?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    type Headers<'a> = &'a [(&'static str, &'static str)];

    fn client_addresses(peer: &str, headers: Headers<'_>) -> Vec<String> {
        let (proxies, request) = request(peer, headers);
        let addresses = proxies.client_addresses(&request);
        addresses.iter().map(IpAddr::to_string).collect()
    }

    fn request(peer: &str, headers: Headers<'_>) -> (Proxies, HttpRequest) {
        let proxies = Proxies::new(vec![
            "10.0.0.0/8".parse().unwrap(),
            "127.0.0.1/32".parse().unwrap(),
        ]);
        let mut request = TestRequest::default().peer_addr(format!("{peer}:1234").parse().unwrap());
        for header in headers {
            request = request.append_header(*header);
        }
        (proxies, request.to_http_request())
    }

    #[test]
    fn a_trusted_proxy_names_the_request() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let rows: [(&str, Headers<'_>, Option<&str>); 6] = [
            ("10.0.0.1", &[("x-request-id", "r-1")], Some("r-1")),
            ("192.0.2.1", &[("x-request-id", "r-1")], None),
            ("10.0.0.1", &[("x-request-id", "a b")], None),
            ("10.0.0.1", &[("traceparent", trace)], Some(&trace[3..35])),
            (
                "10.0.0.1",
                &[("x-request-id", "r-1"), ("traceparent", trace)],
                Some("r-1"),
            ),
            ("10.0.0.1", &[], None),
        ];
        for (peer, headers, id) in rows {
            let (proxies, request) = request(peer, headers);
            let given = proxies.request_id(&request);
            assert_eq!(
                given.as_ref().map(RequestId::as_str),
                id,
                "{peer} {headers:?}"
            );
        }
    }

    #[test]
    fn without_a_header_it_is_the_peer() {
        assert_eq!(client_addresses("192.0.2.1", &[]), ["192.0.2.1"]);
        assert_eq!(client_addresses("10.0.0.1", &[]), ["10.0.0.1"]);
        assert_eq!(client_addresses("[::ffff:127.0.0.1]", &[]), ["127.0.0.1"]);
    }

    #[test]
    fn an_untrusted_proxy_leaves_no_address() {
        for name in ["x-forwarded-for", "x-real-ip", "forwarded"] {
            let value = if name == "forwarded" {
                "for=127.0.0.1"
            } else {
                "127.0.0.1"
            };
            assert!(
                client_addresses("192.0.2.1", &[(name, value)]).is_empty(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_trusted_proxy_names_the_client() {
        let rows: [(Headers<'_>, &[&str]); 10] = [
            (&[("x-forwarded-for", "203.0.113.7")], &["203.0.113.7"]),
            (
                &[("x-forwarded-for", "127.0.0.1, 203.0.113.7, 10.1.1.1")],
                &["203.0.113.7"],
            ),
            (
                &[
                    ("x-forwarded-for", "203.0.113.7"),
                    ("x-forwarded-for", "10.1.1.1"),
                ],
                &["203.0.113.7"],
            ),
            (&[("x-forwarded-for", "10.2.2.2, 10.1.1.1")], &["10.2.2.2"]),
            (&[("x-forwarded-for", "127.0.0.1, nonsense")], &[]),
            (&[("x-forwarded-for", "")], &[]),
            (&[("x-real-ip", "[2001:db8::7]:4711")], &["2001:db8::7"]),
            (
                &[("forwarded", "for=203.0.113.7;proto=https, for=10.1.1.1")],
                &["203.0.113.7"],
            ),
            (&[("forwarded", "by=10.1.1.1")], &[]),
            (
                &[
                    ("x-real-ip", "203.0.113.7"),
                    ("x-forwarded-for", "127.0.0.1"),
                ],
                &["127.0.0.1", "203.0.113.7"],
            ),
        ];
        for (headers, client) in rows {
            assert_eq!(client_addresses("10.0.0.1", headers), client, "{headers:?}");
        }
    }
}
