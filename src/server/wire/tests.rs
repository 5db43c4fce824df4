//! The filter and actix-http's own parser agree on every request and every body, however the bytes arrive.

use actix_http::ServiceConfig;
use actix_http::h1::{Codec, Message, MessageType};
use actix_web::web::{Buf, BytesMut};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use proptest::prelude::*;
use tokio::task::LocalSet;
use tokio_util::codec::Decoder as _;

use super::filter::RequestFilter;
use super::head::MAX_HEAD;
use super::refusal;

thread_local! {
    /// The settings of actix-http, which keep their clock in a set of tasks; no test needs the time.
    static SETTINGS: (LocalSet, ServiceConfig) = {
        let tasks = LocalSet::new();
        let entered = tasks.enter();
        let settings = ServiceConfig::default();
        drop(entered);
        (tasks, settings)
    };
}

/// What the parser makes of a request: its line and headers, and its body.
type Parsed = (String, Vec<u8>);

/// Where the parser stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    End,
    BadHead,
    BadBody,
}

/// Parses bytes to their end or to the first error. An unfinished head at the end is left out.
fn parse(bytes: &[u8]) -> (Vec<Parsed>, Stop) {
    let mut codec = SETTINGS.with(|(_, settings)| Codec::new(settings.clone()));
    let mut bytes = BytesMut::from(bytes);
    let mut requests: Vec<Parsed> = Vec::new();
    loop {
        match codec.decode(&mut bytes) {
            Ok(None) => return (requests, Stop::End),
            Err(_) => {
                let stop = match codec.message_type() {
                    MessageType::None => Stop::BadHead,
                    MessageType::Payload | MessageType::Stream => Stop::BadBody,
                };
                return (requests, stop);
            }
            Ok(Some(Message::Item(request))) => {
                let head = request.head();
                let mut headers: Vec<_> = head.headers.iter().collect();
                headers.sort_by_key(|(name, _)| name.as_str());
                // The parser accepts a quote in a path and a backtick in a query; the filter encodes both.
                let url = encoded(&head.uri.to_string());
                let head = format!("{} {url} {headers:?}", head.method);
                requests.push((head, Vec::new()));
            }
            Ok(Some(Message::Chunk(chunk))) => {
                let (_, body) = requests.last_mut().unwrap();
                body.extend_from_slice(&chunk.unwrap_or_default());
            }
        }
    }
}

/// What passes the filter if the bytes arrive in pieces of these sizes.
fn filtered(bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (mut filter, mut out, mut rest) = (RequestFilter::new(), Vec::new(), bytes);
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap()).min(rest.len());
        let passed = filter.receive(&rest[..size]);
        out.extend_from_slice(&rest[..passed]);
        while let Some(ready) = filter.take_ready(3) {
            out.extend_from_slice(&ready);
        }
        rest = &rest[size..];
    }
    out
}

/// The bytes that actix-http refuses in a URL, and that are encoded.
const RAW: &AsciiSet = &CONTROLS.add(b'"').add(b'<').add(b'>').add(b'`');

fn encoded(url: &str) -> String {
    percent_encode(url.as_bytes(), RAW).to_string()
}

/// A request in two spellings: as a client sends it, and with its URL encoded.
fn request() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let url = prop_oneof![
        Just("/gateway?a=1".to_owned()),
        "/[a-z]{0,3}\\?[a-c=&一签\"<>`{}|^\\\\#%]{0,8}",
        "http://x/[a一]{0,2}",
    ];
    (method(), url, headers(), body()).prop_map(|(method, url, headers, (framing, body))| {
        let head = |url: &str| {
            let head = format!("{method} {url} HTTP/1.1\r\nHost: x\r\n{headers}{framing}\r\n");
            [head.as_bytes(), &body].concat()
        };
        (head(&url), head(&encoded(&url)))
    })
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "GET", "POST", "HEAD", "PUT", "OPTIONS", "\r\nGET", "\nPOST",
    ])
}

fn headers() -> impl Strategy<Value = String> {
    let header = prop::sample::select(vec![
        "Accept: */*\r\n",
        "X: GET / HTTP/1.1\r\n",
        "Connection: keep-alive\n",
        "Expect: 100-continue\r\n",
        "Cookie: \u{e9}\u{4e00}\r\n",
        "Upgrade: h2c\r\n",
        "X-Content-Length: 5\r\n",
        "Empty:\r\n",
    ]);
    prop::collection::vec(header, 0..4).prop_map(|headers| headers.concat())
}

/// The headers that frame a body, and the body in that framing.
fn body() -> impl Strategy<Value = (String, Vec<u8>)> {
    let text = prop_oneof![
        Just(b"GET /\xe4\xb8\x80 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        Just(b"0\r\n\r\nGET /\" HTTP/1.1\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    let chunks = (
        prop::collection::vec((text.clone(), any::<bool>()), 0..4),
        any::<bool>(),
    );
    prop_oneof![
        Just((String::new(), Vec::new())),
        text.prop_map(|text| (format!("Content-Length: {}\r\n", text.len()), text)),
        chunks.prop_map(|(chunks, trailer)| {
            let mut body = Vec::new();
            for (chunk, extended) in chunks.iter().filter(|(chunk, _)| !chunk.is_empty()) {
                let extension = if *extended { " ;a=\"<\"" } else { "" };
                body.extend(format!("{:X}{extension}\r\n", chunk.len()).bytes());
                body.extend_from_slice(chunk);
                body.extend(b"\r\n");
            }
            let trailer = if trailer { "X: 一\r\n" } else { "" };
            body.extend(format!("00\r\n{trailer}\r\n").bytes());
            ("Transfer-Encoding: chunked\r\n".to_owned(), body)
        }),
    ]
}

/// Bytes that break a stream of requests where they are inserted.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        &b"\r\n\r\n"[..],
        b"\r",
        b"\n",
        b" ",
        b"\0",
        b"\xff",
        b"Content-Length: 3\r\n",
        b"Content-Length: +3\r\n",
        b"Content-Length: 1 \r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b" Transfer-Encoding: chunked\r\n",
        b"Upgrade: websocket\r\n",
        b"Host: y\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\n",
        b"0\r\n\r\n",
    ]);
    prop_oneof![
        known.prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 1..4)
    ]
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        Just(vec![1]),
        Just(vec![100_000]),
        prop::collection::vec(1..60_usize, 1..8)
    ]
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(2000))]

    /// Valid requests with raw bytes in their URLs are read as their encoded spelling is, and nothing else of them changes.
    #[test]
    fn raw_bytes_are_read_as_if_encoded(requests in prop::collection::vec(request(), 1..5), sizes in sizes()) {
        let (raw, plain): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        let (raw, plain) = (raw.concat(), plain.concat());
        let (expected, stop) = parse(&plain);
        prop_assert_eq!(stop, Stop::End);
        let out = filtered(&raw, &sizes);
        prop_assert_eq!(parse(&out), (expected, Stop::End));
        let empty_lines = |bytes: &[u8]| bytes.len() - filtered(bytes, &[usize::MAX]).len();
        prop_assert_eq!(out.len(), plain.len() - empty_lines(&plain));
    }

    /// Whatever arrives: the parser sees the requests that it would see without the filter, up to the first that either refuses,
    /// which is one request for the refusal, and nothing after it.
    #[test]
    fn no_bytes_make_filter_and_parser_disagree(
        requests in prop::collection::vec(request(), 1..4),
        noise in prop::collection::vec((noise(), any::<prop::sample::Index>(), any::<bool>()), 0..3),
        sizes in sizes(),
    ) {
        let mut bytes: Vec<u8> = requests.into_iter().flat_map(|(_, plain)| plain).collect();
        for (noise, at, between_lines) in noise {
            let at = at.index(bytes.len());
            let line = bytes[at..].iter().position(|&byte| byte == b'\n');
            let at = at + line.filter(|_| between_lines).map_or(0, |line| line + 1);
            bytes.splice(at..at, noise);
        }
        let (expected, stop) = parse(&bytes);
        let (mut seen, seen_stop) = parse(&filtered(&bytes, &sizes));
        prop_assert_ne!(seen_stop, Stop::BadHead, "the filter refuses every head that the parser would");
        let is_refused = |(head, _): &Parsed| head.starts_with(refusal::METHOD);
        let refused = seen.pop_if(|last| is_refused(last));
        prop_assert!(!seen.iter().any(is_refused), "nothing follows a refusal");
        match refused {
            Some((_, body)) => prop_assert_eq!((body, seen_stop), (Vec::new(), Stop::End)),
            None if stop != Stop::BadHead => {
                prop_assert_eq!((&seen, seen_stop), (&expected, stop));
            }
            // Its URL had raw bytes, which the parser alone refuses.
            None => prop_assert!(seen.len() >= expected.len()),
        }
        let both = seen.len().min(expected.len());
        prop_assert_eq!(&seen[..both], &expected[..both]);
    }
}

#[test]
fn a_clean_request_passes_in_place() {
    let bytes = b"POST /gateway?a=%E4 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{\"uid\":5}GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut filter = RequestFilter::new();
    assert_eq!(filter.receive(bytes), bytes.len());
    assert_eq!(filter.take_ready(1), None);
    assert_eq!(filter.unfinished_head(), None);
}

/// What a head without an end may cost: it is refused as soon as it exceeds the limit, and is not parsed after each byte.
#[test]
fn an_endless_head_is_refused() {
    for (start, error) in [
        ("GET /", "414"),
        ("GET / HTTP/1.1\r\nX: ", "431"),
        ("GET / HTTP/1.1\r\n", "431"),
    ] {
        let mut filter = RequestFilter::new();
        assert_eq!(filter.receive(start.as_bytes()), 0);
        let piece: &[u8] = if error == "431" && start.ends_with('\n') {
            b"x:\n"
        } else {
            b"x"
        };
        let mut received = start.len();
        while !filter.is_refused() {
            assert!(received < MAX_HEAD, "{start}");
            assert_eq!(filter.receive(piece), 0);
            received += piece.len();
        }
        let request = filter.take_ready(MAX_HEAD).unwrap();
        let request = String::from_utf8_lossy(&request);
        assert!(
            request.ends_with(&format!("x-status: {error}\r\n\r\n")),
            "{request}"
        );
        assert_eq!(filter.receive(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
        assert!(filter.take_ready(1).is_none(), "nothing follows a refusal");
    }
}

#[test]
fn what_is_refused_keeps_its_path_if_that_is_plain() {
    let host = "Host: x\r\n\r\n";
    for (line, path) in [
        ("GET /gateway?a=\u{0}1 HTTP/1.1", "/gateway"),
        ("GET /gateway/ HTTP/9.9", "/gateway/"),
        ("GET /gate\u{0}way HTTP/1.1", "*"),
        ("GET /x\u{4e00} HTTP/3", "*"),
        ("nonsense", "*"),
        ("POINTGATE-REFUSED /gateway HTTP/1.1", "/gateway"),
        ("!GET /gateway HTTP/1.1", "/gateway"),
    ] {
        let mut filter = RequestFilter::new();
        assert_eq!(filter.receive(format!("{line}\r\n{host}").as_bytes()), 0);
        let request = filter.take_ready(1000).unwrap();
        let expected = format!(
            "{} {path} HTTP/1.1\r\nhost: -\r\nconnection: close\r\nx-status: 400\r\n\r\n",
            refusal::METHOD
        );
        assert_eq!(String::from_utf8_lossy(&request), expected, "{line}");
    }
    let long = format!("X{}: 1", "-".repeat(70_000));
    let mut filter = RequestFilter::new();
    filter.receive(format!("GET / HTTP/1.1\r\n{long}\r\n{host}").as_bytes());
    let mut request = filter.take_ready(1000).unwrap();
    request.advance(request.len() - 8);
    assert_eq!(&request[..], b" 431\r\n\r\n", "actix-http would panic");
}
