//! Compressed bodies: gzip is inflated within the limits of the body, and anything else is refused as what it is.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::program::Program;
use crate::test_gateway::{Answer, TestGateway, sealed, signed_query};

pub fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn total() -> Answer {
    let data = r#"{"code":"20111130-152530","total":0}"#;
    sealed(200, data, "yoho coin total")
}

fn refused(status: u16, code: i64, message: &str) -> Answer {
    (
        status,
        format!(r#"{{"code":{code},"message":"{message}"}}"#),
    )
}

fn malformed() -> Answer {
    refused(400, 500, "参数格式不对")
}

/// Posts a body in these encodings to a path; returns its answer, and the header `Accept-Encoding`.
async fn post(
    gateway: &TestGateway,
    path: &str,
    encodings: &[&str],
    body: Vec<u8>,
) -> (Answer, Option<String>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client
        .post(gateway.url(path))
        .header("content-type", "application/json");
    for encoding in encodings {
        request = request.header("content-encoding", *encoding);
    }
    let response = request.body(body).send().await.unwrap();
    let accepts = response.headers().get("accept-encoding");
    let accepts = accepts.map(|it| it.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    ((status, response.text().await.unwrap()), accepts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gzip_is_inflated() {
    let gateway = TestGateway::start().await;
    let path = format!("/gateway?{}", signed_query("app.yohocoin.total"));
    let json = br#"{"uid":5}"#;
    let marked = "\u{feff}{\"uid\":5}".as_bytes();
    for (encodings, body) in [
        (&["gzip"][..], gzip(json)),
        (&["GZIP"], gzip(json)),
        (&["x-gzip"], gzip(json)),
        (&["identity", "gzip"], gzip(json)),
        (&["gzip"], gzip(marked)),
        (&["identity"], json.to_vec()),
        (&[""], json.to_vec()),
    ] {
        let (answered, _) = post(&gateway, &path, encodings, body).await;
        assert_eq!(answered, total(), "{encodings:?}");
    }
    let no_user = sealed(404, "{}", "uid为空！");
    for nothing in [gzip(b""), Vec::new()] {
        let (answered, _) = post(&gateway, &path, &["gzip"], nothing).await;
        assert_eq!(answered, no_user);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_compression_is_refused_in_the_envelope() {
    let gateway = TestGateway::start().await;
    let message = "不支持的压缩格式";
    let partners = format!(r#"{{"status":false,"code":100002,"message":"{message}"}}"#);
    for encodings in [
        &["br"][..],
        &["deflate"],
        &["zstd"],
        &["compress"],
        &["gzip, gzip"],
        &["gzip", "gzip"],
        &["gzip;q=1"],
    ] {
        let (answer, accepts) = post(&gateway, "/gateway", encodings, gzip(b"{}")).await;
        assert_eq!(answer, refused(415, 415, message), "{encodings:?}");
        assert_eq!(accepts.as_deref(), Some("gzip"), "{encodings:?}");
        let (answer, _) = post(&gateway, "/api/v2", encodings, gzip(b"{}")).await;
        assert_eq!(answer, (415, partners.clone()), "{encodings:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_gzip_is_refused() {
    let gateway = TestGateway::start().await;
    let path = format!("/gateway?{}", signed_query("app.yohocoin.total"));
    let whole = gzip(br#"{"uid":5}"#);
    let mut other_sum = whole.clone();
    let sum = whole.len() - 8;
    other_sum[sum] ^= 1;
    for (name, body) in [
        ("plain", br#"{"uid":5}"#.to_vec()),
        ("nothing", b" ".to_vec()),
        ("without its last byte", whole[..whole.len() - 1].to_vec()),
        ("without its sum", whole[..sum].to_vec()),
        ("half", whole[..whole.len() / 2].to_vec()),
        ("another sum", other_sum),
        ("more behind it", [&whole[..], b"x"].concat()),
        ("twice", [&whole[..], &whole].concat()),
    ] {
        let (answer, _) = post(&gateway, &path, &["gzip"], body).await;
        assert_eq!(answer, malformed(), "{name}");
    }
    let (answered, _) = post(&gateway, &path, &["gzip"], whole).await;
    assert_eq!(answered, total());
}

/// The limit counts what comes out, whatever went in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inflated_size_counts() {
    let gateway = TestGateway::start().await;
    let path = format!("/gateway?{}", signed_query("app.yohocoin.total"));
    let object = r#"{"uid":5}"#;
    let padded = |size: usize| (" ".repeat(size - object.len()) + object).into_bytes();
    let too_large = || refused(413, 413, "请求体过大");
    for (size, expected) in [
        (64 << 10, total()),
        ((64 << 10) + 1, too_large()),
        (32 << 20, too_large()),
    ] {
        let (answered, _) = post(&gateway, &path, &["gzip"], gzip(&padded(size))).await;
        assert_eq!(answered, expected, "{size} bytes");
    }
    let next = |last: &u64| Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    let noise = std::iter::successors(Some(1), next).take(20_000);
    let noise: Vec<u8> = noise.flat_map(u64::to_be_bytes).collect();
    let compressed = gzip(&noise);
    assert!(compressed.len() > 64 << 10);
    let (answered, _) = post(&gateway, &path, &["gzip"], compressed).await;
    assert_eq!(answered, too_large(), "too large as it is");
}

/// 60 bombs of 32 MiB at a time cost no more than their limits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_are_bounded() {
    let program = Program::new().await;
    let client = program.client();
    let url = format!("{}/gateway?method=status.pay_notify", client.base);
    let bomb = gzip(&vec![b' '; 32 << 20]);
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.process_id()));
        let status = status.unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.unwrap().split_whitespace().next().unwrap();
        kibibytes.parse::<u64>().unwrap() << 10
    };
    let before = peak();
    let send = async || {
        let request = client.http.post(&url).header("content-encoding", "gzip");
        request
            .body(bomb.clone())
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let statuses = futures_util::future::join_all((0..60).map(|_| send())).await;
    assert!(
        statuses.iter().all(|status| [413, 503].contains(status)),
        "{statuses:?}"
    );
    let grown = peak() - before;
    assert!(grown < 32 << 20, "it grew by {grown} bytes");
}
